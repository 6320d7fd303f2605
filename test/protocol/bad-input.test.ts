/**
 * What no client should send, and anybody can. Each gets the answer of the page; the process keeps running,
 * other sessions notice nothing, and nothing is stored.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dmOf, useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import type { WireClient } from '../support/wire-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

/** Somebody who never does anything wrong, and must not notice what the tests do. */
let bystander: WireClient
/** The one who sends the bad input, to this victim. */
let mallory: WireClient
let victim: WireClient

beforeEach(async () => {
  ;[bystander, mallory, victim] = await Promise.all([
    world.user('bystander').connect(gw1),
    world.user('mallory').connect(gw1),
    world.user('victim').connect(gw2),
  ])
})

afterEach(async () => {
  expect(bystander.end).toBeUndefined()
  await bystander.send(victim, 'all is well')
  await victim.expects('message', { from: bystander.id })
  expect([await gw1.status('/readyz'), await gw2.status('/readyz')]).toEqual([200, 200])
})

/** The victim has got and keeps nothing of Mallory. */
async function nothingStored(): Promise<void> {
  await victim.expectsNothing('message', { from: mallory.id }, { after: bystander })
  const history = await world
    .userCalled(victim.id)
    .http()
    .get(`/conversations/${dmOf(victim, mallory)}/messages`)
  expect(history).toMatchObject({ status: 200, body: { messages: [], more: false } })
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
/** A `send` whose frame is `depth` deep: the frame is the first level, the body the second. */
const sendOfDepth = (to: string, depth: number) =>
  `{"op":"send","ref":"deep","to":"${to}","body":{"type":"custom","a":${nested(depth - 2)}}}`

describe('bad frames', () => {
  const bad: [string, string | Buffer][] = [
    ['no JSON', 'hello?'],
    ['half a JSON', '{"op":"ping"'],
    ['two frames in one', '{"op":"ping","ref":"1"}{"op":"ping","ref":"2"}'],
    ['nothing', ''],
    ['a list', '[{"op":"ping"}]'],
    ['null', 'null'],
    ['a string', '"ping"'],
    ['a number', '7'],
    ['no op', '{"ref":"r"}'],
    ['an op that is no string', '{"op":7,"ref":"r"}'],
    ['an op that is null', '{"op":null}'],
    ['an op that is a list', '{"op":["ping"]}'],
    ['bytes of a binary frame', Buffer.from('{"op":"ping"}')],
    ['JSON that is 10,000 deep', nested(10_000)],
    ['a frame that is 33 deep', sendOfDepth('user:somebody', 33)],
    ['a frame with a field that is 10,000 deep', `{"op":"ping","ref":"r","x":${nested(10_000)}}`],
    ['a NaN', '{"op":"ping","ref":NaN}'],
  ]

  test.each(bad)('%s is a bad_frame, and the session goes on', async (_what, frame) => {
    mallory.say(frame)
    expect(await mallory.expects('error')).toMatchObject({ code: 'bad_frame', message: expect.any(String) })
    await mallory.ping()
    expect(mallory.end).toBeUndefined()
  })

  test('close with 4000 at the third in a row', async () => {
    for (let n = 0; n < 3; n++) mallory.say('not JSON')
    expect((await mallory.closes()).code).toBe(4000)
    expect(mallory.seen('error', { code: 'bad_frame' }).length).toBeGreaterThanOrEqual(2)
  })

  test('are counted anew after any good frame', async () => {
    for (let round = 0; round < 4; round++) {
      mallory.say('not JSON')
      mallory.say('[]')
      await mallory.ping()
    }
    expect(mallory.end).toBeUndefined()
  })

  test('of all kinds count together', async () => {
    mallory.say('not JSON')
    mallory.say(Buffer.from([1, 2, 3]))
    mallory.say('{}')
    expect((await mallory.closes()).code).toBe(4000)
  })

  test('33 levels are too deep, 32 are not', async () => {
    mallory.say(sendOfDepth(victim.target, 33))
    expect((await mallory.expects('error')).code).toBe('bad_frame')
    await nothingStored()
    mallory.say(sendOfDepth(victim.target, 32))
    expect((await mallory.reply('deep')).op).toBe('ack')
    await victim.expects('message', { from: mallory.id })
  })
})

describe('what is not UTF-8', () => {
  test.each([
    ['a stray byte', Buffer.from([0x22, 0xff, 0x22])],
    ['a cut character', Buffer.concat([Buffer.from('{"op":"ping","x":"'), Buffer.from([0xe2, 0x82])])],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"')]),
    ],
  ])('ends the line: %s', async (_what, bytes) => {
    mallory.sayText(bytes)
    expect([1006, 1007]).toContain((await mallory.closes()).code)
    await nothingStored()
  })
})

describe('unknown ops', () => {
  test.each([
    'edit',
    'react',
    'SEND',
    'Hello',
    '',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'welcome',
  ])('%j is a bad_request, never counted', async (op) => {
    for (let n = 0; n < 4; n++) expect((await mallory.refused({ op })).code).toBe('bad_request')
    await mallory.ping()
  })
})

describe('a bad ref', () => {
  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is too long', 'r'.repeat(65)],
    ['has a line end', 'a\nb'],
    ['is beyond ASCII', 'réf'],
    ['has a DEL', '\u007f'],
    ['is a number', 7],
    ['is null', null],
    ['is an object', { toString: 'r' }],
  ])('of a send that %s is answered by an error without ref, and nothing is sent', async (_what, ref) => {
    mallory.say({ op: 'send', ref, to: victim.target, body: text('hi') })
    const error = await mallory.expects('error')
    expect(error.code).toBe('bad_request')
    expect(error).not.toHaveProperty('ref')
    await nothingStored()
  })

  test('of 64 characters, of spaces, or called like a method is a good one', async () => {
    for (const ref of ['~'.repeat(64), ' ', '__proto__', 'constructor', 'toString', '{"a":1}', '*', 'a:b']) {
      const ack = await mallory.send(victim, ref, { ref })
      expect(ack.ref).toBe(ref)
      expect(ack).not.toHaveProperty('dup', true)
      expect(await mallory.send(victim, ref, { ref })).toMatchObject({ id: ack.id, dup: true })
    }
  })
})

describe('a send with', () => {
  test.each<[string, string, unknown]>([
    ['no target', 'to', undefined],
    ['a name alone', 'to', 'bob'],
    ['a conversation', 'to', 'dm:a:b'],
    ['an empty id', 'to', 'user:'],
    ['a space in the id', 'to', 'user:a b'],
    ['a slash in the id', 'to', 'user:a/b'],
    ['a brace in the id', 'to', 'user:a{b}'],
    ['letters beyond ASCII', 'to', 'user:bób'],
    ['a NUL', 'to', 'user:a\u0000'],
    ['an id that is too long', 'to', `user:${'a'.repeat(65)}`],
    ['one dot', 'to', 'user:.'],
    ['two dots', 'to', 'user:..'],
    ['two colons', 'to', 'user:a:b'],
    ['another kind', 'to', 'team:a'],
    ['a kind that is a property', 'to', '__proto__:a'],
    ['a kind in capitals', 'to', 'USER:a'],
    ['a list of targets', 'to', ['user:a']],
    ['a reply that is no id', 'reply', '12'],
    ['a reply with leading zeros', 'reply', '01-1'],
    ['a reply beyond 2^53', 'reply', '1-9007199254740992'],
    ['mentions that are no list', 'mentions', 'bob'],
    ['a mention that is no id', 'mentions', ['a b']],
    ['a retry that is no boolean', 'retry', 'yes'],
  ])('%s is a bad_request that names %s', async (_what, field, value) => {
    const error = await mallory.refused({ ...mallory.sendFrame(victim, 'hi'), [field]: value })
    expect(error).toMatchObject({
      code: 'bad_request',
      field: expect.stringMatching(new RegExp(`^${field}`)),
    })
    await nothingStored()
  })

  test.each<[string, unknown]>([
    ['no body', undefined],
    ['a body that is a string', 'hi'],
    ['a body that is null', null],
    ['a body that is a list', [{ type: 'text', text: 'hi' }]],
    ['a body without type', { text: 'hi' }],
    ['an unknown type', { type: 'video', url: 'https://a.example' }],
    ['a type that is a property', { type: '__proto__' }],
    ['a type that is no string', { type: 7 }],
    [
      'an event, which only the server writes',
      { type: 'event', event: 'member_joined', users: [], by: 'me' },
    ],
    ['an empty text', { type: 'text', text: '' }],
    ['a text that is no string', { type: 'text', text: 7 }],
    ['no text', { type: 'text' }],
    ['an image without url', { type: 'image', name: 'a', size: 1, mime: 'image/png' }],
    ['a file without name', { type: 'file', url: 'https://a.example', size: 1, mime: 'text/plain' }],
    [
      'a file whose size is a string',
      { type: 'file', url: 'https://a.example', name: 'a', size: '1', mime: 'a/b' },
    ],
    ['a file without mime', { type: 'file', url: 'https://a.example', name: 'a', size: 1 }],
  ])('%s is a bad_request', async (_what, body) => {
    const error = await mallory.refused({ ...mallory.sendFrame(victim, 'hi'), body })
    expect(error).toMatchObject({ code: 'bad_request', field: expect.stringMatching(/^body/) })
    await nothingStored()
  })

  test('a refused ref leaves the ref free', async () => {
    const frame = mallory.sendFrame(victim, 'hi', { ref: 'again' })
    await mallory.refused({ ...frame, body: { type: 'video' } })
    const ack = await mallory.gets('ack', frame)
    expect(ack).not.toHaveProperty('dup', true)
  })
})

describe('ids that are properties of every object', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '__defineGetter__',
    'length',
  ]

  test.each(names)('%s is a user like any other', async (name) => {
    const odd = world.userCalled(name)
    const session = await odd.connect(gw2, { device: name, platform: name })
    const ack = await mallory.send(odd, 'hi', { ref: name, mentions: [name] })
    expect(ack.conv).toBe(dmOf(mallory, odd))
    expect(await session.expects('message', { from: mallory.id })).toMatchObject({ mentions: [name] })
    await session.send(mallory, 'hi yourself')
    await mallory.expects('message', { from: name })
    await session.gets('ok', { op: 'read', conv: ack.conv, id: ack.id })
    expect(await mallory.gets('ok', { op: 'watch', users: [name] })).toMatchObject({
      presence: { on: [name] },
    })
    const { messages, synced } = await session.sync({ inbox: '0-0', convs: { [ack.conv]: '0-0' } })
    expect(messages.map((message) => message.id)).toContain(ack.id)
    expect(synced.convs.map((entry) => entry.conv)).toContain(ack.conv)
    const http = odd.http(gw2)
    expect(await http.get(`/presence?users=${name}`)).toMatchObject({
      body: { presence: { on: [name], off: [] } },
    })
    expect((await http.get('/me')).body).toMatchObject({ id: name })
    await session.close()
  })

  test.each(names)('%s can be a member of a group', async (name) => {
    const owner = world.userCalled(mallory.id)
    const group = await owner.createGroup({ members: [{ id: name }] })
    const session = await world.userCalled(name).connect(gw2)
    const ack = await mallory.send(group, 'welcome')
    await session.expects('message', { id: ack.id })
    const members = await owner.http().get<{ members: { user: string }[] }>(`/groups/${group.id}/members`)
    expect(members.body.members.map(({ user }) => user)).toContain(name)
  })

  test.each(names)('%s is no group and no channel', async (name) => {
    expect((await mallory.sendRefused(`group:${name}`, 'hi')).code).toBe('not_found')
    expect((await mallory.sendRefused(`channel:${name}`, 'hi')).code).toBe('not_found')
    const { messages, synced } = await mallory.sync({ convs: { [`group:${name}`]: '0-0' } })
    expect([messages, synced.convs]).toEqual([[], []])
  })

  test('as keys of a body they arrive, and change nothing', async () => {
    const body =
      '{"type":"custom","__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"toString":"no"}'
    mallory.say(`{"op":"send","ref":"p","to":"${victim.target}","body":${body},"__proto__":{"retry":"bad"}}`)
    expect((await mallory.reply('p')).op).toBe('ack')
    const message = await victim.expects('message', { from: mallory.id })
    expect(JSON.stringify(message.body)).toBe(JSON.stringify(JSON.parse(body)))
  })

  test('as keys of convs they are bad, as they are no conversations', async () => {
    for (const key of ['__proto__', 'constructor']) {
      mallory.say(`{"op":"sync","ref":"k ${key}","convs":{"${key}":"0-0"}}`)
      expect(await mallory.reply(`k ${key}`)).toMatchObject({ op: 'error', code: 'bad_request' })
    }
  })
})

describe('lone surrogates', () => {
  test('escaped in a body are passed on equal, live, by sync and by HTTP', async () => {
    mallory.say(
      String.raw`{"op":"send","ref":"s","to":"${victim.target}","body":{"type":"text","text":"a\ud800b\udfff"}}`,
    )
    const ack = await mallory.reply('s')
    expect(ack.op).toBe('ack')
    const expected = text('a\ud800b\udfff')
    expect((await victim.expects('message', { from: mallory.id })).body).toEqual(expected)
    expect((await victim.sync({ inbox: '0-0' })).messages.map((message) => message.body)).toContainEqual(
      expected,
    )
    const path = `/conversations/${dmOf(victim, mallory)}/messages`
    const history = await world.userCalled(victim.id).http().get<{ messages: { body: unknown }[] }>(path)
    expect(history.body.messages.map((message) => message.body)).toEqual([expected])
  })

  test('in an id or a ref are a bad_request', async () => {
    mallory.say(String.raw`{"op":"send","ref":"i","to":"user:a\ud800","body":{"type":"text","text":"hi"}}`)
    expect(await mallory.reply('i')).toMatchObject({ op: 'error', code: 'bad_request', field: 'to' })
    mallory.say(
      String.raw`{"op":"send","ref":"\ud800","to":"${victim.target}","body":{"type":"text","text":"hi"}}`,
    )
    expect(await mallory.expects('error')).toMatchObject({ code: 'bad_request' })
    await nothingStored()
  })
})

test('a flood of nonsense from many lines leaves the gateway as it was', async () => {
  const nonsense = ['{', '[]', '{"op":"hello"}', nested(5_000), 'x'.repeat(60_000), '{"op":"send"}']
  const lines = await Promise.all(Array.from({ length: 30 }, () => world.open(gw1)))
  for (const line of lines) for (const frame of nonsense) line.say(frame)
  const codes = await Promise.all(lines.map(async (line) => (await line.closes()).code))
  expect(new Set(codes)).toEqual(new Set([4000]))
  await nothingStored()
})
