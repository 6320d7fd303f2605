/** Names and positions: how they are written, what is none, and in which order they come. */
import {
  comparePositions,
  convOf,
  dmOf,
  isConv,
  isId,
  isPosition,
  isRef,
  isTarget,
  laterOf,
  msOf,
  parseConv,
  peerIn,
  seqOf,
  type Target,
} from '@starling/protocol/ids'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

const ID_CHARACTERS = [...'ABCXYZabcxyz0189_.-']
const id = fc
  .array(fc.constantFrom(...ID_CHARACTERS), { minLength: 1, maxLength: 64 })
  .map((characters) => characters.join(''))
  .filter((text) => text !== '.' && text !== '..')
const number = fc.maxSafeNat()
const position = fc.tuple(number, number).map(([ms, seq]) => `${ms}-${seq}`)

describe('an id', () => {
  test.each(['a', 'A.b_c-9', '__proto__', 'constructor', '...', '-', '0', 'x'.repeat(64), 'system'])(
    '%j is one',
    (text) => expect(isId(text)).toBe(true),
  )
  test.each([
    '',
    '.',
    '..',
    'x'.repeat(65),
    'a b',
    'a:b',
    'a/b',
    'é',
    'a\n',
    '\na',
    'a\0',
    '*',
    '💡',
    1,
    null,
    undefined,
    ['a'],
    {},
  ])('%j is none', (text) => expect(isId(text)).toBe(false))
  test('is any of the characters named, 1 to 64 of them', () => {
    fc.assert(fc.property(id, (text) => isId(text)))
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        (text) => isId(text) === /^(?!\.\.?$)[\w.-]{1,64}$/.test(text),
      ),
    )
  })
})

describe('a ref', () => {
  test('is 1 to 64 characters from space to tilde', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const plain = [...text].every((character) => character >= ' ' && character <= '~')
        return isRef(text) === (plain && text.length >= 1 && text.length <= 64)
      }),
    )
  })
  test.each(['a\n', 'a\u007f', '', 'é', 7, null])('%j is none', (text) => expect(isRef(text)).toBe(false))
})

describe('a position', () => {
  test('is two integers below 2^53 with a dash between', () => {
    fc.assert(fc.property(position, isPosition))
    expect(isPosition('9007199254740991-9007199254740991')).toBe(true)
  })
  test.each([
    '9007199254740992-1',
    '1-9007199254740992',
    '00-1',
    '1-01',
    '-1-1',
    '1--1',
    '1',
    '1-',
    '-1',
    '1-1-1',
    '1.0-1',
    '1e3-1',
    '+1-1',
    ' 1-1',
    '1-1\n',
    '0x1-1',
    '',
    '99999999999999999999-1',
    11,
    null,
  ])('%j is none', (text) => expect(isPosition(text)).toBe(false))

  test('is taken apart as it was put together', () => {
    fc.assert(
      fc.property(number, number, (ms, seq) => {
        expect([msOf(`${ms}-${seq}`), seqOf(`${ms}-${seq}`)]).toEqual([ms, seq])
      }),
    )
  })

  test('comes in one total order, by ms and then by seq', () => {
    const pair = fc.tuple(fc.nat(3), fc.nat(3))
    fc.assert(
      fc.property(pair, pair, ([ms, seq], [otherMs, otherSeq]) => {
        const order = comparePositions(`${ms}-${seq}`, `${otherMs}-${otherSeq}`)
        expect(Math.sign(order)).toBe(Math.sign(ms - otherMs || seq - otherSeq))
      }),
    )
    fc.assert(
      fc.property(position, position, position, (a, b, c) => {
        expect(Math.sign(comparePositions(a, b))).toBe(-Math.sign(comparePositions(b, a)) + 0)
        expect(comparePositions(a, b) === 0).toBe(a === b)
        if (comparePositions(a, b) <= 0 && comparePositions(b, c) <= 0)
          expect(comparePositions(a, c)).toBeLessThanOrEqual(0)
        expect(comparePositions(laterOf(a, b), a)).toBeGreaterThanOrEqual(0)
        expect([a, b]).toContain(laterOf(a, b))
      }),
    )
  })

  test('compares as numbers do, not as texts', () => {
    expect(comparePositions('9-1', '10-1')).toBeLessThan(0)
    expect(comparePositions('10-9', '10-10')).toBeLessThan(0)
    expect(comparePositions('0-0', '0-0')).toBe(0)
  })
})

describe('a conversation', () => {
  test('of two users is the same whoever names it, in byte order', () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        const conv = dmOf(a, b)
        expect(conv).toBe(dmOf(b, a))
        const parsed = parseConv(conv)
        expect(parsed).toEqual({
          kind: 'dm',
          users: [a, b].toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))),
        })
        if (parsed?.kind === 'dm') expect(peerIn(parsed.users, a)).toBe(b)
        expect(convOf(a, `user:${b}` as Target)).toBe(conv)
      }),
    )
  })

  it('of a group or channel is the target itself', () => {
    fc.assert(
      fc.property(id, (name) => {
        expect(parseConv(`group:${name}`)).toEqual({ kind: 'group', group: name })
        expect(parseConv(`channel:${name}`)).toEqual({ kind: 'channel', channel: name })
        expect(convOf('anybody', `group:${name}` as Target)).toBe(`group:${name}`)
      }),
    )
  })

  test('with oneself has oneself on the other side', () => {
    expect(parseConv('dm:a:a')).toEqual({ kind: 'dm', users: ['a', 'a'] })
  })

  test.each([
    '',
    'dm',
    'dm:a',
    'dm:b:a',
    'dm:a:b:c',
    'dm:a:',
    'dm::a',
    'group:',
    'group:a:b',
    'group:..',
    'channel:a b',
    'user:a',
    'DM:a:b',
    '__proto__:a',
    'group',
    null,
    3,
  ])('is not %j', (text) => {
    expect(isConv(text)).toBe(false)
    expect(parseConv(text)).toBeUndefined()
  })
})

describe('a target', () => {
  test.each(['user:a', 'group:__proto__', 'channel:lobby', 'user:system'])('is %j', (text) =>
    expect(isTarget(text)).toBe(true),
  )
  test.each([
    '',
    ':',
    'user:',
    'user',
    ':a',
    'users:a',
    'dm:a:b',
    'user:a:b',
    'user:.',
    'use:r',
    undefined,
    [],
  ])('is not %j', (text) => expect(isTarget(text)).toBe(false))
})
