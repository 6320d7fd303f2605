/** From the TCP connection to the welcome: upgrade, subprotocol, hello, and what comes before and right behind it. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { msOf, useWorld } from '../support/harness.ts'
import { UpgradeRefused } from '../support/wire-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function refusal(opening: Promise<unknown>): Promise<UpgradeRefused> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UpgradeRefused)
  return error as UpgradeRefused
}

describe('the upgrade', () => {
  test('without the subprotocol is answered by HTTP 400', async () => {
    expect((await refusal(world.open(gw1, { protocols: [] }))).status).toBe(400)
  })

  test('with only a subprotocol of others is answered by HTTP 400', async () => {
    expect((await refusal(world.open(gw1, { protocols: ['starling.v0', 'chat'] }))).status).toBe(400)
  })

  test('echoes starling.v1 where it is one of several that the client asks for', async () => {
    const line = await world.open(gw1, { protocols: ['chat', 'starling.v1'] })
    expect(line.socket.protocol).toBe('starling.v1')
  })

  test('from a foreign Origin is answered by HTTP 403', async () => {
    expect((await refusal(world.open(gw1, { origin: 'http://elsewhere.example' }))).status).toBe(403)
  })

  test('from the Origin of the same host, or without one, is allowed', async () => {
    const same = await world.open(gw1, { origin: gw1.url })
    const none = await world.open(gw1)
    expect([same.socket.protocol, none.socket.protocol]).toEqual(['starling.v1', 'starling.v1'])
  })

  test('has permessage-deflate on offer, and frames of a session that took it arrive whole', async () => {
    const alice = await world.user('alice').connect(gw1, { wire: { perMessageDeflate: true } })
    expect(alice.socket.extensions).toContain('permessage-deflate')
    const bob = await world.user('bob').connect(gw2, { wire: { perMessageDeflate: true } })
    const long = 'starling '.repeat(1_500)
    await alice.send(bob, long)
    expect((await bob.expects('message', { from: alice.id })).body).toEqual({ type: 'text', text: long })
  })
})

describe('hello', () => {
  test('is answered by a welcome that has everything the page names', async () => {
    const user = world.user('alice')
    const line = await world.open(gw2)
    const before = Date.now()
    const welcome = await line.hello({ token: user.token(), device: 'phone', platform: 'test' })
    expect(welcome).toMatchObject({
      op: 'welcome',
      ref: expect.any(String),
      session: expect.stringMatching(UUID),
      user: { id: user.id, name: user.id },
      node: 'gw-2',
      heartbeat: 25_000,
      inbox: '0-0',
      resumed: false,
      limits: {
        frame: 65_536,
        body: 16_384,
        watch: expect.any(Number),
        sessions: 16,
        sendsPerSecond: 50,
        burst: 200,
        recallMs: 120_000,
      },
    })
    expect(welcome.time).toBeGreaterThan(before - 5_000)
    expect(welcome.time).toBeLessThan(Date.now() + 5_000)
  })

  test('works without a ref; the welcome then has none', async () => {
    const line = await world.open(gw1)
    line.say({ op: 'hello', token: world.user('alice').token(), device: 'phone' })
    expect(await line.expects('welcome')).not.toHaveProperty('ref')
  })

  test('gives the name of the token, and the id where the token has none', async () => {
    const named = await world
      .user('alice')
      .connect(gw1, { token: world.sign({ sub: 'alice-n', name: 'Alice L' }) })
    const nameless = await world.user('alice').connect(gw1)
    expect(named.welcome.user).toMatchObject({ id: 'alice-n', name: 'Alice L' })
    expect(nameless.welcome.user.name).toBe(nameless.id)
  })

  test('gives every connection a session of its own, those of one device too', async () => {
    const alice = world.user('alice')
    const one = await alice.connect(gw1, { device: 'phone' })
    const other = await alice.connect(gw1, { device: 'phone' })
    expect(one.session).not.toBe(other.session)
    await one.ping()
    await other.ping()
  })

  test('is followed by a session frame that lists the session itself', async () => {
    const alice = await world.user('alice').connect(gw1, { device: 'phone', platform: 'ios' })
    const { sessions } = await alice.expects('session')
    expect(sessions).toEqual([
      { session: alice.session, device: 'phone', platform: 'ios', node: 'gw-1', since: expect.any(Number) },
    ])
  })

  test('may be followed at once by frames, which are handled after the welcome and in their order', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const line = await world.open(gw1)
    line.say({ op: 'hello', ref: 'h', token: alice.token(), device: 'phone' })
    line.say({ op: 'ping', ref: 'p' })
    line.say(line.sendFrame(bob, 'first', { ref: 's1' }))
    line.say(line.sendFrame(bob, 'second', { ref: 's2' }))
    line.say({ op: 'sync', ref: 'y' })
    await line.reply('y')
    const replies = line.frames.flatMap((frame) =>
      'ref' in frame && frame.op !== 'message' ? [frame.ref] : [],
    )
    expect(replies[0]).toBe('h')
    expect(new Set(replies)).toEqual(new Set(['h', 'p', 's1', 's2', 'y']))
    const history = await bob
      .http()
      .get<{ messages: { body: unknown }[] }>(`/conversations/dm:${alice.id}:${bob.id}/messages`)
    expect(history.body.messages.map((message) => message.body)).toEqual([
      { type: 'text', text: 'first' },
      { type: 'text', text: 'second' },
    ])
  })

  test('a second time is a bad_request, and the session goes on', async () => {
    const alice = await world.user('alice').connect(gw1)
    const again = { op: 'hello', token: world.user('bob').token(), device: 'phone' }
    expect((await alice.refused(again)).code).toBe('bad_request')
    expect((await alice.ping()).op).toBe('pong')
    const ack = await alice.send(world.user('carol'), 'still me')
    expect(ack.conv).toContain(alice.id)
  })

  test.each([
    ['device', { device: 'a phone' }],
    ['device', { device: undefined }],
    ['device', { device: '..' }],
    ['device', { device: 7 }],
    ['platform', { platform: { os: 'ios' } }],
    ['inbox', { inbox: '12' }],
    ['inbox', { inbox: '01-1' }],
  ])('with a wrong %s (%j) is a bad_request, and a right one may follow', async (field, wrong) => {
    const line = await world.open(gw1)
    const right = { op: 'hello', token: world.user('alice').token(), device: 'phone' }
    expect(await line.refused({ ...right, ...wrong })).toMatchObject({ code: 'bad_request', field })
    expect((await line.gets('welcome', right)).op).toBe('welcome')
  })

  test('with a bad ref is answered by an error without a ref, and a right one may follow', async () => {
    const line = await world.open(gw1)
    const right = { op: 'hello', token: world.user('alice').token(), device: 'phone' }
    line.say({ ...right, ref: 'tab\t' })
    const error = await line.expects('error')
    expect(error.code).toBe('bad_request')
    expect(error).not.toHaveProperty('ref')
    await line.gets('welcome', right)
  })

  test('must be the first frame: anything else closes with 4000 and does nothing', async () => {
    const bob = await world.user('bob').connect(gw1)
    const line = await world.open(gw1)
    line.say(line.sendFrame(bob, 'too early', { ref: 'early' }))
    expect((await line.closes()).code).toBe(4000)
    expect(line.seen('ack')).toEqual([])
    await bob.expectsNothing('message')
    const { body } = await world.userCalled(bob.id).http().get<{ conversations: unknown[] }>('/conversations')
    expect(JSON.stringify(body.conversations)).not.toContain('too early')
  })

  test('must be the first frame: a ping or an unknown op before it closes with 4000 too', async () => {
    const pinging = await world.open(gw1)
    pinging.say({ op: 'ping', ref: 'p' })
    const guessing = await world.open(gw1)
    guessing.say({ op: 'login', ref: 'l' })
    expect([(await pinging.closes()).code, (await guessing.closes()).code]).toEqual([4000, 4000])
  })
})

describe('resumed', () => {
  test('is false for a device never seen before', async () => {
    const alice = world.user('alice')
    await (await world.user('bob').connect()).send(alice, 'hi')
    const fresh = await alice.connect(gw1, { device: randomUUID() })
    expect(fresh.welcome.resumed).toBe(false)
    expect(fresh.welcome.inbox).toMatch(/^\d+-1$/)
  })

  test('is true where the position is known, on another gateway too', async () => {
    const alice = world.user('alice')
    const bob = await world.user('bob').connect()
    const first = await alice.connect(gw1, { device: 'phone' })
    await bob.send(alice, 'one')
    const { inbox } = await first.expects('message')
    await first.close()
    await bob.send(alice, 'two')
    const second = await alice.connect(gw2, { device: 'phone', inbox: inbox! })
    expect(second.welcome.resumed).toBe(true)
    const { messages } = await second.sync({ inbox: inbox! })
    expect(messages.map((message) => message.body)).toEqual([{ type: 'text', text: 'two' }])
  })

  test('goes by what the device has last received, where hello gives no position', async () => {
    const alice = world.user('alice')
    const bob = await world.user('bob').connect()
    const first = await alice.connect(gw1, { device: 'phone' })
    await bob.send(alice, 'one')
    const { inbox } = await first.expects('message')
    first.say({ op: 'received', inbox })
    await first.ping()
    await first.close()
    const second = await alice.connect(gw2, { device: 'phone' })
    expect(second.welcome.resumed).toBe(true)
    expect((await second.sync()).messages).toEqual([])
  })

  test('is false for a position whose seq is above the head', async () => {
    const alice = world.user('alice')
    const first = await alice.connect(gw1, { device: 'phone' })
    const ack = await (await world.user('bob').connect()).send(alice, 'one')
    await first.expects('message')
    await first.close()
    const inbox = `${msOf(ack.id) + 60_000}-99`
    const second = await alice.connect(gw1, { device: 'phone', inbox })
    expect(second.welcome.resumed).toBe(false)
  })
})

describe('ping', () => {
  test('is answered by a pong with the time and the head of the inbox, with and without a ref', async () => {
    const alice = await world.user('alice').connect(gw1)
    await (await world.user('bob').connect(gw2)).send(alice, 'hi')
    const { inbox } = await alice.expects('message')
    const pong = await alice.ping()
    expect(pong.inbox).toBe(inbox)
    expect(Math.abs(pong.time - Date.now())).toBeLessThan(5_000)
    alice.say({ op: 'ping' })
    expect(await alice.expects('pong')).not.toHaveProperty('ref')
  })

  test('frames of one connection are answered in their order', async () => {
    const alice = await world.user('alice').connect(gw1)
    const refs = Array.from({ length: 50 }, (_, n) => `p${n}`)
    for (const ref of refs) alice.say({ op: 'ping', ref })
    await alice.reply('p49')
    expect(alice.seen('pong').map((pong) => pong.ref)).toEqual(refs)
  })
})
