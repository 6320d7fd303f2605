/** Bytes to frames: what is no frame at all, what is a wrong one, and that good ones come through unchanged. */
import { decodeClientFrame, isDeeperThan } from '@starling/protocol/codec'
import { clientFrame } from '@starling/protocol/schemas'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'

const bytes = (text: string) => new TextEncoder().encode(text)
const decode = (frame: unknown) => decodeClientFrame(bytes(JSON.stringify(frame)))
const refusal = (frame: unknown) => {
  const decoded = decode(frame)
  if (decoded.ok) throw new Error('it was taken')
  const { error, op, ref } = decoded
  return { code: error.code, field: error.field, op, ref }
}
const send = { op: 'send', ref: 'r', to: 'user:bob', body: { type: 'text', text: 'hi' } }

/** A value of `levels` arrays in each other. */
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

describe('no frame at all', () => {
  test.each([
    ['no JSON', '{'],
    ['empty', ''],
    ['blank', '  '],
    ['two values', '{"op":"ping"}{"op":"ping"}'],
    ['a list', '[{"op":"ping"}]'],
    ['a text', '"ping"'],
    ['a number', '7'],
    ['null', 'null'],
    ['no op', '{"ref":"r"}'],
    ['an op that is no text', '{"op":7,"ref":"r"}'],
    ['an op that is nothing', '{"op":null}'],
    ['an inherited op', '{"__proto__":{"op":"ping"}}'],
    ['a byte order mark inside', '\uFEFF\uFEFF{"op":"ping"}'],
  ])('%s is bad_frame, without op and ref', (_what, text) => {
    expect(decodeClientFrame(bytes(text))).toMatchObject({
      ok: false,
      error: { code: 'bad_frame' },
      op: undefined,
      ref: undefined,
    })
  })

  it('is what is no UTF-8', () => {
    const broken = new Uint8Array([...bytes('{"op":"ping","ref":"'), 0xc3, ...bytes('"}')])
    expect(decodeClientFrame(broken)).toMatchObject({ ok: false, error: { code: 'bad_frame' } })
  })

  it('is never a reason to throw, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (any) => decodeClientFrame(any).ok === false))
    fc.assert(
      fc.property(fc.json(), (any) => {
        decodeClientFrame(bytes(any))
      }),
    )
  })
})

describe('depth', () => {
  it('32 is taken and 33 is a bad frame, the frame itself counted', () => {
    const frame = (levels: number) => ({ ...send, body: { type: 'custom', deep: nested(levels - 2) } })
    expect(decode(frame(32))).toMatchObject({ ok: true })
    expect(decode(frame(33))).toMatchObject({ ok: false, error: { code: 'bad_frame' }, ref: undefined })
  })

  it('counts objects and arrays, also in fields nobody asked for', () => {
    const objects = (levels: number): unknown => (levels === 0 ? 1 : { in: objects(levels - 1) })
    expect(decode({ op: 'ping', more: objects(31) }).ok).toBe(true)
    expect(decode({ op: 'ping', more: objects(32) }).ok).toBe(false)
  })

  it('of a frame full of brackets ends in an answer, not in a full stack', () => {
    const brackets = '['.repeat(30_000) + ']'.repeat(30_000)
    expect(decodeClientFrame(bytes(`{"op":"ping","x":${brackets}}`))).toMatchObject({
      ok: false,
      error: { code: 'bad_frame' },
    })
  })

  it('of what lies in nothing is 0', () => {
    expect([isDeeperThan(1, 0), isDeeperThan(null, 0), isDeeperThan([], 0), isDeeperThan([], 1)]).toEqual([
      false,
      false,
      true,
      false,
    ])
  })
})

describe('a wrong frame', () => {
  it('is one whose body could not be passed on as it is: a number too large to be written again', () => {
    const of = (body: string) =>
      decodeClientFrame(bytes(`{"op":"send","ref":"r","to":"user:bob","body":${body}}`))
    expect(of('{"type":"custom","n":[1e308]}')).toMatchObject({ ok: true })
    for (const body of ['{"type":"custom","n":[1e999]}', '{"type":"text","text":"a","n":-1e999}'])
      expect(of(body)).toMatchObject({ ok: false, error: { code: 'bad_request', field: 'body' }, ref: 'r' })
  })

  it('names the field at fault and keeps op and ref', () => {
    expect(refusal({ ...send, to: 'bob' })).toEqual({
      code: 'bad_request',
      field: 'to',
      op: 'send',
      ref: 'r',
    })
    expect(refusal({ ...send, body: { type: 'text', text: '' } }).field).toBe('body.text')
    expect(refusal({ ...send, body: { type: 'event', event: 'x' } }).field).toBe('body.type')
    expect(refusal({ ...send, mentions: ['a', 'b c'] }).field).toBe('mentions.1')
    expect(refusal({ op: 'nonsense', ref: 'r' })).toEqual({
      code: 'bad_request',
      field: 'op',
      op: 'nonsense',
      ref: 'r',
    })
  })

  test.each(['edit', 'react', 'welcome', 'constructor', '__proto__', 'toString', ''])(
    'knows no op %j',
    (op) => expect(refusal({ op })).toMatchObject({ code: 'bad_request', field: 'op' }),
  )

  it.each([
    ['to', { ...send, to: undefined }],
    ['body', { ...send, body: undefined }],
    ['body', { ...send, body: 'hi' }],
    ['body', { ...send, body: [] }],
    ['body.type', { ...send, body: { type: 'video' } }],
    ['body.size', { ...send, body: { type: 'file', url: 'u', name: 'n', size: 1.5, mime: 'm' } }],
    ['reply', { ...send, reply: '1' }],
    ['retry', { ...send, retry: 'yes' }],
    ['mentions', { ...send, mentions: Array(51).fill('a') }],
    ['device', { op: 'hello', token: 't', device: 'a b' }],
    ['token', { op: 'hello', device: 'd', token: 7 }],
    ['device', { op: 'hello', token: 't' }],
    ['inbox', { op: 'hello', token: 't', device: 'd', inbox: '1-01' }],
    ['platform', { op: 'hello', token: 't', device: 'd', platform: '\ud800' }],
    ['id', { op: 'read', conv: 'dm:a:b', id: '9007199254740992-1' }],
    ['conv', { op: 'read', conv: 'dm:b:a', id: '1-1' }],
    ['inbox', { op: 'received' }],
    ['users', { op: 'watch', users: Array(201).fill('a') }],
    ['convs', { op: 'sync', convs: { 'group:a b': '1-1' } }],
    ['convs', { op: 'sync', convs: { 'group:a': '1' } }],
    ['convs', { op: 'sync', convs: ['group:a'] }],
  ])('is refused for its %s: %j', (field, frame) => {
    const found = refusal({ ref: 'r', ...frame })
    expect(found).toMatchObject({ code: 'bad_request', ref: 'r' })
    expect(found.field).toBe(field)
  })

  it.each([7, null, '', 'é', 'x'.repeat(65), { a: 1 }])('has no ref to answer to where it is %j', (ref) => {
    expect(refusal({ op: 'ping', ref })).toMatchObject({ code: 'bad_request', ref: undefined, field: 'ref' })
  })

  it('is a send without a ref', () => {
    const { ref: _ref, ...rest } = send
    expect(refusal(rest)).toMatchObject({ code: 'bad_request', field: 'ref' })
  })
})

describe('a good frame', () => {
  it('loses the fields that nobody knows, but not those of its body', () => {
    const body = { type: 'custom', any: [1, { thing: null }], text: '💡' }
    const decoded = decode({ ...send, body, more: 1 })
    expect(decoded).toEqual({ ok: true, frame: { ...send, body } })
  })

  it('passes a body on as the value it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (fields) => {
        const body = { ...fields, type: 'custom' }
        const decoded = decode({ ...send, body })
        expect(decoded.ok && decoded.frame.op === 'send' && JSON.stringify(decoded.frame.body)).toBe(
          JSON.stringify(body),
        )
      }),
    )
  })

  it('keeps a field called __proto__ of a body', () => {
    const decoded = decodeClientFrame(
      bytes('{"op":"send","ref":"r","to":"user:b","body":{"type":"custom","__proto__":{"a":1}}}'),
    )
    if (!decoded.ok || decoded.frame.op !== 'send') throw new Error('not taken')
    expect(JSON.stringify(decoded.frame.body)).toBe('{"type":"custom","__proto__":{"a":1}}')
  })

  it('takes __proto__ for a user, a group and a position’s conversation', () => {
    expect(decode({ ...send, to: 'user:__proto__' })).toMatchObject({ ok: true })
    const decoded = decodeClientFrame(
      bytes('{"op":"sync","ref":"r","convs":{"group:__proto__":"1-1","dm:__proto__:a":"0-0"}}'),
    )
    if (!decoded.ok || decoded.frame.op !== 'sync') throw new Error('not taken')
    expect([...decoded.frame.convs!]).toEqual([
      ['group:__proto__', '1-1'],
      ['dm:__proto__:a', '0-0'],
    ])
  })

  it('is a hello without a token: that one is unauthorized, not malformed', () => {
    expect(decode({ op: 'hello', device: 'd' })).toMatchObject({ ok: true, frame: { token: '' } })
  })

  it('may do without a ref, except a send', () => {
    expect(decode({ op: 'ping' })).toEqual({ ok: true, frame: { op: 'ping' } })
  })
})

const odd = fc.oneof(fc.constant(''), fc.string(), fc.integer(), fc.constant(null), fc.object(), fc.boolean())
const mostly = <T>(good: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: good, weight: 9 }, { arbitrary: odd, weight: 1 })

test('the short way for plain sends takes what the schema takes, and gives what it gives', () => {
  const body = fc.record(
    {
      type: mostly(fc.constantFrom('text', 'custom')),
      text: mostly(fc.string()),
      ['__proto__']: odd,
      more: odd,
    },
    { requiredKeys: ['type', 'text'] },
  )
  const frame = fc.record(
    {
      op: fc.constant('send'),
      ref: mostly(fc.stringMatching(/^[ -~]{1,64}$/)),
      to: mostly(
        fc.constantFrom('user:bob', 'group:g', 'channel:lobby', 'user:', 'bob', 'user:a:b', 'user:..'),
      ),
      body: mostly(body),
      retry: mostly(fc.boolean()),
      reply: fc.constantFrom('1-1', '01-1'),
      mentions: fc.constant(['bob']),
      ['__proto__']: odd,
    },
    { requiredKeys: ['op', 'ref', 'to', 'body'] },
  )
  agreesWithSchema(frame)
})

test('so does the short way for plain hellos', () => {
  const frame = fc.record(
    {
      op: fc.constant('hello'),
      ref: mostly(fc.stringMatching(/^[ -~]{1,64}$/)),
      token: mostly(fc.string()),
      device: mostly(fc.constantFrom('phone', 'a b', '..', '__proto__', 'd'.repeat(64), 'd'.repeat(65))),
      platform: mostly(fc.constantFrom('', 'web', 'w'.repeat(64), 'w'.repeat(65), '\ud800')),
      inbox: fc.constantFrom('1-1', '01-1'),
      more: odd,
      ['__proto__']: odd,
    },
    { requiredKeys: ['op', 'device'] },
  )
  agreesWithSchema(frame)
})

test('and the one for syncs of an inbox', () => {
  const frame = fc.record(
    {
      op: fc.constant('sync'),
      ref: mostly(fc.stringMatching(/^[ -~]{1,64}$/)),
      inbox: mostly(fc.constantFrom('0-0', '1000-1', '01-1', '1-', '9007199254740992-1')),
      convs: fc.constantFrom({}, { 'group:eng': '1-1' }),
      ['__proto__']: odd,
    },
    { requiredKeys: ['op'] },
  )
  agreesWithSchema(frame)
})

/** That frames are taken as the schema takes them, and enough of them are. */
function agreesWithSchema(frame: fc.Arbitrary<object>): void {
  let taken = 0
  fc.assert(
    fc.property(frame, (value) => {
      const text = JSON.stringify(value)
      const decoded = decodeClientFrame(bytes(text))
      const parsed = clientFrame.safeParse(JSON.parse(text))
      expect(decoded.ok).toBe(parsed.success)
      if (!decoded.ok || !parsed.success) return
      taken += 1
      expect(decoded.frame).toEqual(parsed.data)
    }),
    { numRuns: 2_000 },
  )
  expect(taken).toBeGreaterThan(200)
}
