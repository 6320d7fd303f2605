/**
 * A Lua script's header, its bindings and its TypeScript twin say the same, so that a call can name what it passes.
 * What the scripts do is the store suites' business.
 */
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { BatchDefinition, ScriptDefinition } from '../../../src/store/script.ts'

const ROOT = new URL('../../../src/store/scripts/', import.meta.url)
type Definition = ScriptDefinition<string, string, unknown> | BatchDefinition<string, string, unknown>

const namesOf = (ext: string) =>
  globSync(`*/*.${ext}`, { cwd: ROOT })
    .map((path) => path.slice(0, -ext.length - 1))
    .filter((name) => !name.startsWith('lib/'))
    .toSorted()
const names = namesOf('lua')

async function twinOf(name: string): Promise<Definition> {
  const module = (await import(new URL(`${name}.ts`, ROOT).href)) as Record<string, unknown>
  const definitions = Object.values(module).filter(
    (value): value is Definition => typeof value === 'object' && value !== null && 'lua' in value,
  )
  expect(definitions, `${name}.ts defines one script`).toHaveLength(1)
  return definitions[0]!
}

interface Header {
  verb: string
  keys: string[]
  args: string[]
  job: string[]
  rest: boolean
  publishes: boolean
  why: boolean
  returns: boolean
}

function headerOf(text: string): Header {
  const header = /^--\[\[ ([\s\S]*?)\n\]\]/m.exec(text)?.[1] ?? ''
  const all = (word: string) =>
    [...header.matchAll(new RegExp(`^  ${word} (\\w+) `, 'gm'))].map(([, name]) => name!)
  return {
    verb: header.slice(0, header.indexOf(':')),
    keys: all('KEYS'),
    args: all('ARGV'),
    job: all('JOB '),
    rest: /^ {2}REST /m.test(header),
    publishes: /^ {2}PUBLISHES /m.test(header),
    why: header.includes('Why a script: ') && header.includes('Cost: O('),
    returns: /^ {2}RETURNS {8}\S/m.test(header),
  }
}

/** The names that the first lines below the header give to KEYS and ARGV, in order. */
function bindingsOf(text: string): { keys: string[]; args: string[]; positions: string[] } {
  const keys: string[] = []
  const args: string[] = []
  const positions: string[] = []
  for (const [, left, right] of text.matchAll(/^local ([\w, ]+) = ((?:KEYS|ARGV)\[.*)$/gm)) {
    const names = left!.split(', ')
    const sources = right!.split(', ')
    expect(sources, left).toHaveLength(names.length)
    for (const [index, source] of sources.entries()) {
      positions.push(source)
      ;(source.startsWith('KEYS') ? keys : args).push(names[index]!)
    }
  }
  return { keys, args, positions }
}

const WRITES =
  /'(SET|HSET|HSETNX|HDEL|HINCRBY|DEL|XADD|XTRIM|XDEL|ZADD|ZREM|SADD|SREM|SPOP|PEXPIRE|PEXPIREAT|SPUBLISH|INCR)'/

it('every script has its twin, and every twin its script', () => {
  expect(names.length).toBeGreaterThan(20)
  expect(namesOf('ts')).toEqual(names)
})

describe.each(names)('%s', (name) => {
  const text = readFileSync(new URL(`${name}.lua`, ROOT), 'utf8')
  const body = text.slice(text.indexOf(']]') + 2)
  const header = headerOf(text)

  it('opens with #!lua and a whole header', () => {
    // The jobs of a batch lie in any slots of one master; all else in one slot.
    const first =
      header.job.length > 0
        ? /^#!lua flags=(no-writes,)?allow-cross-slot-keys$/
        : /^#!lua( flags=no-writes)?$/
    expect(text.split('\n', 1)[0]).toMatch(first)
    expect(text.split('\n')[1]).toMatch(/^--\[\[ /)
    expect(header).toMatchObject({ verb: name.split('/')[1], why: true, returns: true })
  })

  it('binds its keys and arguments by the names of the header, all of them, in order, once', () => {
    const { keys, args, positions } = bindingsOf(body)
    // A batch's only key says where it runs; it makes its keys from what each job says of itself.
    const isBatch = header.job.length > 0
    expect({ keys, args }).toEqual({ keys: isBatch ? [] : header.keys, args: header.args })
    if (isBatch) expect(header.keys).toEqual(['here'])
    expect(positions).toEqual([
      ...keys.map((_, index) => `KEYS[${index + 1}]`),
      ...args.map((_, index) => `ARGV[${index + 1}]`),
    ])
    const below = body.replace(/^local [\w, ]+ = (?:KEYS|ARGV)\[.*$/gm, '')
    expect(below).not.toMatch(/KEYS\[/)
    // A rest is walked through; nothing else is taken by its position.
    expect(/ARGV/.test(below)).toBe(header.rest)
    if (header.rest) expect(below).toContain(`for i = ${header.args.length + 1}, #ARGV`)
  })

  it('agrees with its twin', async () => {
    const twin = await twinOf(name)
    if ('job' in twin) {
      expect(twin).toMatchObject({ name, args: header.args, job: header.job })
      const fields = twin.job.join(', ')
      expect(body).toContain(`run_jobs(${twin.args.length + 1}, ${twin.job.length}, function(${fields})`)
    } else {
      expect(twin).toMatchObject({ name, keys: header.keys, args: header.args })
    }
  })

  it('has its includes in place, each once, and uses them', async () => {
    const { lua } = await twinOf(name)
    expect(lua).not.toContain('-- @include')
    for (const [, part] of text.matchAll(/^-- @include ([a-z-]+)$/gm)) {
      const called = part!.replaceAll('-', '_')
      expect(lua.split(`local function ${called}(`)).toHaveLength(2)
      expect(lua.split(new RegExp(`(?<!function )\\b${called}\\(`)).length, part).toBeGreaterThan(1)
    }
  })

  it('says that it publishes where it does, and that it writes nothing where it doesn’t', async () => {
    const { lua } = await twinOf(name)
    const code = lua.slice(lua.indexOf(']]') + 2)
    expect(/\btell(_sessions)?\(|\bpost\(|\bput_in_inbox\(|'SPUBLISH'/.test(body)).toBe(header.publishes)
    expect(WRITES.test(code)).toBe(!text.startsWith('#!lua flags=no-writes'))
  })

  it('uses no nil in a reply, where the list would end', () => {
    for (const [reply] of body.matchAll(/^ *return \{.*$/gm)) expect(reply).not.toMatch(/\bnil\b/)
  })
})
