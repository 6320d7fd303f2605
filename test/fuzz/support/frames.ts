/**
 * Frames that anybody could send: well-formed ones of every op, the same with one thing wrong, and what is no frame at
 * all. Only what a client can know is in them: ids, conversations, tokens.
 */
import * as fc from 'fast-check'

/** One thing said on a line: a text frame, a binary one, or bytes sent as text whether they are UTF-8 or not. */
export type Said = { as: 'text'; data: string } | { as: 'binary' | 'bytes'; data: Uint8Array }

export interface Known {
  /** Ids of users; the fuzz is one of them. */
  users: readonly string[]
  /** Conversations that are no dm. */
  convs: readonly string[]
  /** Texts that may stand for a token, good ones among them. */
  tokens: readonly string[]
}

/** Names that mean something to JavaScript, to Redis, to our keys or to JSON. */
const ODD_TEXTS = [
  '',
  '.',
  '..',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'system',
  'a b',
  'a\nb',
  'a"b',
  'a\\b',
  '"}]}',
  '","op":"error","x":"',
  '{417}',
  'a{1}b',
  'user:',
  'dm:a',
  'dm:b:a',
  'group:',
  '../../etc/passwd',
  '\r\nX: y',
  '%s%n',
  "'; redis.call('FLUSHALL') --",
  '\u0000',
  '\ud800',
  '\u2028',
  'ſ',
  'x'.repeat(65),
  'x'.repeat(5_000),
]
const POSITIONS = [
  '0-0',
  '0-1',
  '1-0',
  '1760000000000-1',
  '1760000000000-40',
  '9007199254740991-9007199254740991',
  '9999999999999-9',
]
const ODD_POSITIONS = [
  '',
  '-',
  '0',
  '01-1',
  '1-01',
  '-1-1',
  '1.5-1',
  '1e3-1',
  '9007199254740992-1',
  '+-+',
  '$',
  '(0-0',
  '1-1-1',
]

const oddText = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'binary', maxLength: 80 }))
const anyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  oddText,
  fc.constantFrom(null, true, 0, -1, 1e308, 2 ** 53, 0.5, [], {}, [[]], [null]),
)

/** A JSON text that is `depth` deep. */
const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}0${'}]'.repeat(depth / 2)}`

function goodBody() {
  const text = fc.record({
    type: fc.constant('text'),
    text: fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      fc.constantFrom(...ODD_TEXTS.filter((odd) => odd !== '')),
      fc.integer({ min: 16_300, max: 16_500 }).map((length) => 'x'.repeat(length)),
    ),
  })
  const file = fc.record({
    type: fc.constantFrom('image', 'file'),
    url: fc.constantFrom('https://a.example/1', 'javascript:alert(1)', 'x'),
    name: oddText,
    size: fc.nat(),
    mime: oddText,
  })
  const custom = fc
    .dictionary(fc.oneof(oddText, fc.string()), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 })
    .map((more) => ({ ...more, type: 'custom' }))
  return fc.oneof({ weight: 4, arbitrary: text }, file, custom)
}

/** Frames that fit their schema; whether they are granted is another question. */
function goodFrame({ users, convs, tokens }: Known): fc.Arbitrary<Record<string, unknown>> {
  const user = fc.constantFrom(...users)
  const position = fc.constantFrom(...POSITIONS)
  const ref = fc.oneof(
    { weight: 6, arbitrary: fc.uuid() },
    fc.constantFrom('__proto__', '"', '\\', '{1}:ref', ' ', '"}', '~'.repeat(64)),
  )
  const to = fc.oneof(
    user.map((name) => `user:${name}`),
    fc.constantFrom(...convs, 'group:nobodys', 'channel:nowhere'),
  )
  const conv = fc.oneof(
    fc.tuple(user, user).map(([a, b]) => (a <= b ? `dm:${a}:${b}` : `dm:${b}:${a}`)),
    fc.constantFrom(...convs, 'group:nobodys', 'channel:nowhere'),
  )
  const frame = (
    op: string,
    fields: Record<string, fc.Arbitrary<unknown>>,
    optional: string[] = [],
  ): fc.Arbitrary<Record<string, unknown>> => {
    const all: Record<string, fc.Arbitrary<unknown>> = { op: fc.constant(op), ref, ...fields }
    return fc.record(all, { requiredKeys: Object.keys(all).filter((key) => !optional.includes(key)) })
  }
  return fc.oneof(
    {
      weight: 6,
      arbitrary: frame(
        'send',
        {
          to,
          body: goodBody(),
          reply: position,
          mentions: fc.array(user, { maxLength: 5 }),
          retry: fc.boolean(),
        },
        ['reply', 'mentions', 'retry'],
      ),
    },
    { weight: 2, arbitrary: frame('read', { conv, id: position }, ['ref']) },
    { weight: 2, arbitrary: frame('received', { inbox: position }, ['ref']) },
    {
      weight: 2,
      arbitrary: frame('sync', { inbox: position, convs: fc.dictionary(conv, position, { maxKeys: 4 }) }, [
        'ref',
        'inbox',
        'convs',
      ]),
    },
    { weight: 2, arbitrary: frame('typing', { to }, ['ref']) },
    frame('watch', { users: fc.array(fc.oneof(user, fc.constant('*')), { maxLength: 5 }) }, ['ref']),
    frame('unwatch', { users: fc.array(fc.oneof(user, fc.constant('*')), { maxLength: 5 }) }, ['ref']),
    frame('ping', {}, ['ref']),
    frame('token', { token: fc.constantFrom(...tokens) }, ['ref']),
    frame('hello', { token: fc.constantFrom(...tokens), device: user, inbox: position }, ['ref', 'inbox']),
  )
}

/** One field is gone, or something else than it should be, or there is one more. */
function bent(good: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const value = fc.oneof(
    anyJson,
    fc.constantFrom(...ODD_POSITIONS),
    oddText.map((text) => `user:${text}`),
    oddText.map((text) => `group:${text}`),
    fc.dictionary(oddText, fc.constantFrom(...POSITIONS, ...ODD_POSITIONS), { maxKeys: 3 }),
    fc.array(oddText, { maxLength: 3 }),
    fc.constant(Array.from({ length: 201 }, (_, n) => `u${n}`)),
  )
  return fc.tuple(good, fc.nat(), fc.option(value), oddText).map(([frame, at, other, extra]) => {
    const keys = [...Object.keys(frame), extra]
    const key = keys[at % keys.length]!
    const { [key]: _gone, ...rest } = frame
    // Through entries: a key called __proto__ is to be sent, not to be set here.
    return other === null ? rest : Object.fromEntries([...Object.entries(rest), [key, other]])
  })
}

const text = (data: string): Said => ({ as: 'text', data })

/** Anything that a client might say. */
export function said(known: Known): fc.Arbitrary<Said> {
  const good = goodFrame(known)
  const asText = good.map((frame) => text(JSON.stringify(frame)))
  return fc.oneof(
    { weight: 60, arbitrary: asText },
    { weight: 30, arbitrary: bent(good).map((frame) => text(JSON.stringify(frame))) },
    // What follows is no frame: three of them in a row end the line.
    { weight: 2, arbitrary: fc.tuple(asText, fc.double({ min: 0, max: 1, noNaN: true })).map(cut) },
    { weight: 1, arbitrary: fc.json().map(text) },
    { weight: 1, arbitrary: oddText.map((odd) => text(odd.toWellFormed())) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(32, 33, 34, 200, 5_000)
        .map((depth) => text(`{"op":"ping","x":${nested(depth)}}`)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((data): Said => ({ as: 'binary', data })) },
  )
}

/** What ends a line at once: not UTF-8, or too large. */
export const endings: fc.Arbitrary<Said> = fc.oneof(
  fc
    .uint8Array({ minLength: 1, maxLength: 50 })
    .map((more): Said => ({ as: 'bytes', data: Uint8Array.of(0xff, ...more) })),
  fc
    .integer({ min: 65_537, max: 300_000 })
    .map((length) => text(`{"op":"ping","x":"${'x'.repeat(length)}"}`)),
)

function cut([{ data }, where]: [Said, number]): Said {
  return text((data as string).slice(0, Math.floor((data as string).length * where)))
}
