import { existsSync, readFileSync } from 'node:fs'
import { CLOSE_CODES } from '@starling/protocol/close'
import { ERROR_CODES } from '@starling/protocol/errors'
import { describe, expect, it } from 'vitest'
import { configurationPage } from '../../../scripts/configuration-doc.ts'

const doc = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const section = (page: string, title: string) =>
  page.split(/^## /m).find((part) => part.startsWith(title)) ?? ''

describe('the docs', () => {
  it('list every setting as the code has it (npm run docs)', () => {
    expect(doc('configuration.md')).toBe(configurationPage())
  })

  it('list exactly the error codes that there are, with their HTTP status', () => {
    const rows = section(doc('protocol.md'), '6. Error codes')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
    const listed = rows.flatMap((line) => {
      const [, codes = '', status = ''] = line.split('|')
      return [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => [code, Number(status)])
    })
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(Object.entries(ERROR_CODES).map(([code, { status }]) => [code, status])),
    )
  })

  it('list exactly the close codes that there are', () => {
    const rows = section(doc('protocol.md'), '5. Close codes')
      .split('\n')
      .filter((line) => /^\| \d/.test(line))
    const listed = rows.flatMap((line) => line.split('|')[1]!.match(/\d{4}/g)!).map(Number)
    expect(listed.sort()).toEqual(Object.keys(CLOSE_CODES).map(Number).sort())
  })

  it('say of no defence that a test shows it which is not there', () => {
    const named = doc('../SECURITY.md').match(/test\/[\w/.-]+\.ts/g) ?? []
    expect(named.length).toBeGreaterThan(15)
    for (const path of named)
      expect([path, existsSync(new URL(`../../../${path}`, import.meta.url))]).toEqual([path, true])
  })
})
