/** The tables of errors and close codes say what the protocol page says, in both directions. */
import { readFileSync } from 'node:fs'
import { CLOSE_CODES, reconnectAfter } from '@starling/protocol/close'
import { ERROR_CODES, ProtocolError } from '@starling/protocol/errors'
import { describe, expect, it, test } from 'vitest'

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')

/** @returns the rows of the tables of one section, cells trimmed, without head and rule */
function rowsOf(section: string): string[][] {
  const start = page.indexOf(`\n## ${section}`)
  const text = page.slice(start, page.indexOf('\n## ', start + 1))
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  return rows.slice(2)
}

/** The codes a cell names, as `code` or 1001 / 1012. */
const namesIn = (cell = '') => cell.match(/[a-z_]{3,}|\d{4}/g) ?? []

describe('error codes', () => {
  const rows = rowsOf('6. Error codes').flatMap(([codes, status]) =>
    namesIn(codes).map((code): [string, number] => [code, Number(status)]),
  )

  it('are those of the page, with its HTTP statuses', () => {
    expect(new Map(rows)).toEqual(
      new Map(Object.entries(ERROR_CODES).map(([code, { status }]) => [code, status])),
    )
  })

  it('can be tried again where the page promises a retryIn', () => {
    const again = rowsOf('6. Error codes').filter(([, , words]) => words?.includes('retryIn'))
    const retried = Object.entries(ERROR_CODES).filter(([, { retry }]) => retry)
    expect(retried.map(([code]) => code).toSorted()).toEqual(
      again.flatMap(([codes]) => namesIn(codes)).toSorted(),
    )
  })
})

describe('close codes', () => {
  const rows = rowsOf('5. Close codes')

  it('are those of the page', () => {
    const named = rows.flatMap(([codes]) => namesIn(codes))
    expect(named.toSorted()).toEqual(Object.keys(CLOSE_CODES).toSorted())
  })

  test.each(rows.map(([codes, , words]) => [codes!, words!]))('%s: reconnect? %s', (codes, words) => {
    for (const code of namesIn(codes)) {
      const { when, ...more } = reconnectAfter(Number(code)) as { when: string; ms?: number }
      if (words.startsWith('no')) expect(when).toBe('never')
      else if (words.includes('new token')) expect(when).toBe('newToken')
      else if (words.includes('goodbye')) expect(when).toBe('goodbye')
      else if (words.startsWith('after a minute'))
        expect({ when, ...more }).toEqual({ when: 'after', ms: 60_000 })
      else if (words.startsWith('after 30 s'))
        expect({ when, ...more }).toEqual({ when: 'after', ms: 30_000 })
      else expect(when).toBe('backoff')
    }
  })

  it('that are nobody’s count as a lost line', () => {
    for (const code of [0, 1000, 1005, 3000, 4999]) expect(reconnectAfter(code)).toEqual({ when: 'backoff' })
  })
})

describe('an error', () => {
  it('tells what an error frame carries, and nothing of its cause', () => {
    const error = new ProtocolError('unavailable', 'no', { retryIn: 5, cause: new Error('secret') })
    expect(JSON.parse(JSON.stringify(error))).toEqual({ code: 'unavailable', message: 'no', retryIn: 5 })
    expect(error.cause).toMatchObject({ message: 'secret' })
    const plain = new ProtocolError('bad_request', 'wrong', { field: 'to' })
    expect(plain.toJSON()).toEqual({ code: 'bad_request', message: 'wrong', field: 'to' })
  })
})
