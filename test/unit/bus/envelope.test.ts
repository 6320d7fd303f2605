/** What travels in a node's channel: written, read, and damaged. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { canaryEntry, type Kind, markNumbers, presenceEntry, readEntries } from '../../../src/bus/envelope.ts'

const word = fc.stringMatching(/^[A-Za-z0-9_.:~/-]{1,40}$/)
const entry = fc.record({
  kind: fc.constantFrom<Kind>('m', 'f', 't', 'o', 's', 'c', 'p', 'k'),
  topic: word,
  mark: word,
  frame: fc.oneof(fc.string({ unit: 'binary' }), fc.json()).map((text) => Buffer.from(text)),
})
type Entry = ReturnType<typeof readEntries>[number]

const write = ({ kind, topic, mark, frame }: Entry) =>
  Buffer.concat([Buffer.from(`${kind} ${topic} ${mark} ${frame.length}\n`), frame])

describe('entries', () => {
  it('come out as they went in, however many travel together', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const read = readEntries(Buffer.concat(entries.map(write)))
        expect(read.map((one) => ({ ...one, frame: Buffer.from(one.frame) }))).toEqual(entries)
      }),
    )
  })

  it('may have newlines, header lines and any bytes in their frames', () => {
    const frame = Buffer.from('m user:a 1-1 3\nabc\n\0💡')
    const [first, second] = readEntries(
      Buffer.concat([
        write({ kind: 'f', topic: 'user:b', mark: '-', frame }),
        write({ kind: 'm', topic: 'group:c', mark: '2-2', frame: Buffer.alloc(0) }),
      ]),
    )
    expect(first?.frame.equals(frame)).toBe(true)
    expect(second).toMatchObject({ kind: 'm', topic: 'group:c', mark: '2-2' })
  })

  it('are not copied', () => {
    const payload = write({ kind: 'f', topic: 'user:b', mark: '-', frame: Buffer.from('abc') })
    expect(readEntries(payload)[0]?.frame.buffer).toBe(payload.buffer)
  })
})

describe('what is damaged', () => {
  const good = { kind: 'f' as const, topic: 'user:a', mark: '-', frame: Buffer.from('ok') }

  test.each([
    ['nothing', ''],
    ['no line', 'm user:a 1-1 3'],
    ['no length', 'm user:a 1-1\nabc'],
    ['an empty length', 'm user:a 1-1 \nabc'],
    ['no number', 'm user:a 1-1 x\nabc'],
    ['a negative number', 'm user:a 1-1 -12\nabc'],
    ['a fraction', 'm user:a 1-1 1.5\nabc'],
    ['more than there is', 'm user:a 1-1 4\nabc'],
    ['an endless number', 'm user:a 1-1 99999999999999999999999\nabc'],
    ['Infinity', 'm user:a 1-1 Infinity\nabc'],
    ['a kind alone', 'm\n'],
    ['an empty line', '\n\n\n'],
  ])('ends the list and keeps what came before it: %s', (_what, damage) => {
    const read = readEntries(Buffer.concat([write(good), Buffer.from(damage)]))
    expect(read).toHaveLength(1)
    expect(read[0]).toMatchObject({ kind: 'f', topic: 'user:a' })
  })

  it('never throws and never goes on for ever, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => readEntries(Buffer.from(bytes)).length <= 200,
      ),
    )
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3 }), fc.nat(), (entries, cut) => {
        const whole = Buffer.concat(entries.map(write))
        const read = readEntries(whole.subarray(0, cut % (whole.length + 1)))
        expect(read.length).toBeLessThanOrEqual(entries.length)
      }),
    )
  })
})

describe('the gateway’s own entries', () => {
  it('are a canary’s bucket and round', () => {
    const [canary] = readEntries(Buffer.from(canaryEntry(1023, 7)))
    expect([canary?.kind, markNumbers(canary?.mark ?? '')]).toEqual(['k', [1023, 7]])
  })

  it('are presence as JSON', () => {
    const batch = { on: [['__proto__', 1]], off: [] }
    const [presence] = readEntries(Buffer.from(presenceEntry(JSON.stringify(batch))))
    expect(presence?.kind).toBe('p')
    expect(JSON.parse(presence!.frame.toString())).toEqual(batch)
  })
})
