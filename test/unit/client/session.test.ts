/**
 * A session's life as the application sees it: coming, staying, coming back, ending.
 */
import { describe, expect, it } from 'vitest'
import { createClient, StarlingError } from '../../../client/src/index.ts'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { setup } from './support/setup.ts'

describe('connecting', () => {
  it('goes through its states to live', async () => {
    const { client, gateway, record } = setup({ platform: 'test' })
    const states = record('state')
    const welcomes = record('welcome')
    expect(client.state).toBe('disconnected')
    client.connect()
    client.connect()
    const { line, hello } = await gateway.greets()
    expect(line).toMatchObject({ url: 'ws://gw-1:8080/ws', protocol: 'starling.v1' })
    expect(hello).toEqual({ op: 'hello', ref: 'hello', token: 'token', device: 'laptop', platform: 'test' })
    line.say(welcomeOf())
    const sync = await line.hears('sync')
    expect(sync).toEqual({ op: 'sync', ref: expect.any(String) })
    expect(client.state).toBe('syncing')
    line.say({ op: 'synced', ref: sync.ref, inbox: '0-0', convs: [] })
    await settled()
    expect(states.map(({ from, to }) => `${from} ${to}`)).toEqual([
      'disconnected connecting',
      'connecting joining',
      'joining syncing',
      'syncing live',
    ])
    expect(gateway.lines).toHaveLength(1)
    expect(welcomes).toMatchObject([{ node: 'gw-1', user: { id: 'alice' } }])
    expect(client.welcome?.node).toBe('gw-1')
    expect(client.endpoint).toBe('ws://gw-1:8080')
  })

  it('refuses options that can never work', () => {
    const options = { endpoints: ['ws://gw'], device: 'laptop', getToken: async () => '' }
    expect(() => createClient({ ...options, device: '..' })).toThrow(StarlingError)
    expect(() => createClient({ ...options, endpoints: [] })).toThrow(StarlingError)
    expect(() => createClient({ ...options, endpoints: ['ftp://gw'] })).toThrow(TypeError)
  })

  it('tries the next endpoint when one fails', async () => {
    const { client, gateway, clock } = setup({
      endpoints: ['http://a:1', 'https://b:2/chat/'],
      random: () => 0,
    })
    client.connect()
    ;(await gateway.called()).end(1006)
    await clock.turn(500)
    ;(await gateway.called()).end(1006)
    expect(gateway.lines.map(({ url }) => url)).toEqual(['ws://a:1/ws', 'wss://b:2/chat/ws'])
    expect(client.endpoint).toBe('https://b:2/chat/')
  })

  it('gives up a socket that does not open, and a hello without an answer', async () => {
    const { client, gateway, clock, record } = setup()
    const states = record('state')
    client.connect()
    await clock.turn(20_000)
    expect(client.state).toBe('waiting')
    expect(gateway.lines[0]?.closedByClient).toBe(1000)
    await clock.turn(250)
    await gateway.greets()
    await clock.turn(10_000)
    expect(client.state).toBe('waiting')
    expect(states.filter(({ to }) => to === 'waiting').map(({ why }) => why)).toEqual([
      'no connection in time',
      'no welcome in time',
    ])
  })

  it('comes back when a refused hello says so', async () => {
    const { client, gateway, clock } = setup()
    client.connect()
    const { line } = await gateway.greets()
    line.say({ op: 'error', ref: 'hello', code: 'unavailable', message: 'Redis is away', retryIn: 3_000 })
    expect(client.state).toBe('waiting')
    await clock.turn(2_999)
    expect(gateway.lines).toHaveLength(1)
    await clock.turn(1)
    expect(gateway.lines).toHaveLength(2)
  })
})

describe('a lost line', () => {
  it('is tried again with a back-off that grows', async () => {
    const { client, gateway, clock, record } = setup()
    const closes = record('close')
    client.connect()
    for (const ms of [250, 500, 1_000, 2_000]) {
      ;(await gateway.called()).end(1006)
      const before = gateway.lines.length
      await clock.turn(ms - 1)
      expect(gateway.lines).toHaveLength(before)
      await clock.turn(1)
      expect(gateway.lines).toHaveLength(before + 1)
    }
    expect(closes[0]).toEqual({ code: 1006, name: 'line lost', reconnect: true })
  })

  it('is come back from after goodbye.retryIn', async () => {
    const { client, gateway, clock } = setup()
    client.connect()
    const line = await gateway.joins()
    line.say({ op: 'goodbye', reason: 'drain', retryIn: 4_000 })
    await clock.turn(1_000)
    line.end(1012)
    await clock.turn(2_999)
    expect(gateway.lines).toHaveLength(1)
    await clock.turn(1)
    expect(gateway.lines).toHaveLength(2)
  })

  it('ends it all where the table says never', async () => {
    const { client, gateway, clock, record } = setup()
    const closes = record('close')
    client.connect()
    const line = await gateway.joins()
    const left = client.send({ to: 'user:bob', body: { type: 'text', text: 'hi' } })
    line.end(4003)
    expect(client.state).toBe('closed')
    expect(closes).toEqual([{ code: 4003, name: 'session closed', reconnect: false }])
    await expect(left).rejects.toMatchObject({ code: 'closed' })
    client.connect()
    await clock.turn(100_000)
    expect(gateway.lines).toHaveLength(1)
  })

  it('is not heard again', async () => {
    const { client, gateway, clock, record } = setup()
    const messages = record('message')
    client.connect()
    const old = await gateway.joins()
    old.end(1006)
    await clock.turn(250)
    const line = await gateway.joins()
    old.say({
      op: 'message',
      conv: 'group:eng',
      id: '1-1',
      from: 'bob',
      body: { type: 'text', text: 'late' },
    })
    old.end(4003)
    await settled()
    expect(messages).toEqual([])
    expect(client.state).toBe('live')
    expect(line.closedByClient).toBeUndefined()
  })

  it('is found by silence: a ping after the heartbeat, ten seconds for the answer', async () => {
    const { client, gateway, clock, record } = setup()
    const states = record('state')
    client.connect()
    const line = await gateway.joins()
    await clock.turn(20_000)
    line.say({ op: 'typing', conv: 'dm:alice:bob', from: 'bob' })
    await clock.turn(24_999)
    await line.hearsNothing()
    await clock.turn(1)
    await line.hears('ping')
    line.say({ op: 'pong', time: 0, inbox: '0-0' })
    await clock.turn(10_000)
    expect(client.state).toBe('live')
    await clock.turn(15_000)
    await line.hears('ping')
    await clock.turn(9_999)
    expect(client.state).toBe('live')
    await clock.turn(1)
    expect(states.at(-1)).toEqual({ from: 'live', to: 'waiting', why: 'silence' })
    expect(line.closedByClient).toBe(1000)
  })
})

describe('requests', () => {
  it('wait for a session and are asked again where the line was lost', async () => {
    const { client, gateway, clock } = setup()
    const read = client.read('dm:alice:bob', '5-1')
    client.connect()
    const first = (await gateway.greets()).line
    first.say(welcomeOf())
    expect(await first.hears('read')).toMatchObject({ conv: 'dm:alice:bob', id: '5-1' })
    first.end(1006)
    await clock.turn(250)
    const { line } = await gateway.greets()
    line.say(welcomeOf())
    const { ref } = await line.hears('read')
    line.say({ op: 'ok', ref, read: '5-1', unread: 0 })
    expect(await read).toEqual({ read: '5-1', unread: 0 })
  })

  it('reject with what the server says', async () => {
    const { client, gateway } = setup()
    client.connect()
    const line = await gateway.joins()
    const recall = client.recall('group:eng', '5-1')
    const { ref } = await line.hears('recall')
    line.say({ op: 'error', ref, code: 'forbidden', message: 'too late' })
    await expect(recall).rejects.toMatchObject({ code: 'forbidden', message: 'too late' })
  })

  it('that are about this line only end with it', async () => {
    const { client, gateway } = setup()
    await expect(client.ping()).rejects.toMatchObject({ code: 'disconnected' })
    client.connect()
    const line = await gateway.joins()
    const ping = client.ping()
    await line.hears('ping')
    line.end(1006)
    await expect(ping).rejects.toMatchObject({ code: 'disconnected' })
  })

  it('measure a round trip', async () => {
    const { client, gateway, clock } = setup()
    client.connect()
    const line = await gateway.joins()
    const ping = client.ping()
    const { ref } = await line.hears('ping')
    await clock.turn(42)
    line.say({ op: 'pong', ref, time: 7, inbox: '0-0' })
    expect(await ping).toEqual({ time: 7, inbox: '0-0', roundTripMs: 42 })
  })
})

describe('presence', () => {
  it('is asked for again in every session, in frames of 200', async () => {
    const { client, gateway, clock, record } = setup()
    const presence = record('presence')
    client.connect()
    const first = await gateway.joins()
    const users = Array.from({ length: 201 }, (_, at) => `u${at}`)
    const watching = client.watch(users)
    for (const length of [200, 1]) {
      const watch = await first.hears('watch')
      expect(watch.users).toHaveLength(length)
      first.say({ op: 'ok', ref: watch.ref, presence: { on: [`on${length}`], off: [] } })
    }
    expect(await watching).toEqual({ on: ['on200', 'on1'], off: [] })
    await Promise.all([client.unwatch(['u0']), answer()])
    first.end(1006)
    await clock.turn(250)
    const { line } = await gateway.greets()
    line.say(welcomeOf())
    await line.hears('sync')
    const watch = await line.hears('watch')
    expect(watch.users).toEqual(users.slice(1))
    line.say({ op: 'ok', ref: watch.ref, presence: { on: ['u1'], off: [] } })
    await settled()
    expect(presence).toEqual([{ on: ['u1'], off: [] }])

    async function answer() {
      const { ref } = await first.hears('unwatch')
      first.say({ op: 'ok', ref })
    }
  })

  it('does not ask again for what was refused', async () => {
    const { client, gateway, clock } = setup()
    client.connect()
    const first = await gateway.joins()
    const watching = client.watch(['*'])
    const { ref } = await first.hears('watch')
    first.say({ op: 'error', ref, code: 'bad_request', message: 'too many' })
    await expect(watching).rejects.toMatchObject({ code: 'bad_request' })
    first.end(1006)
    await clock.turn(250)
    await (await gateway.joins()).hearsNothing()
  })
})

describe('typing', () => {
  it('is said once in three seconds', async () => {
    const { client, gateway, clock } = setup()
    client.typing('user:bob')
    client.connect()
    const line = await gateway.joins()
    client.typing('user:bob')
    client.typing('user:bob')
    client.typing('group:eng')
    expect(await line.hears('typing')).toEqual({ op: 'typing', to: 'user:bob' })
    expect(await line.hears('typing')).toEqual({ op: 'typing', to: 'group:eng' })
    await line.hearsNothing()
    await clock.turn(3_000)
    client.typing('user:bob')
    await line.hears('typing')
  })
})

describe('listeners', () => {
  it('that throw harm nobody and are told of', async () => {
    const { client, gateway, record } = setup()
    const errors = record('error')
    client.on('message', () => {
      throw new Error('mine')
    })
    const messages = record('message')
    client.connect()
    const line = await gateway.joins()
    line.say({ op: 'message', conv: 'group:eng', id: '1-1', from: 'bob', body: { type: 'text', text: 'hi' } })
    expect(messages).toHaveLength(1)
    expect(errors).toMatchObject([{ message: 'mine' }])
  })

  it('hear nothing once they are off', async () => {
    const { client, gateway } = setup()
    const heard: string[] = []
    const off = client.on('typing', ({ from }) => heard.push(from))
    client.connect()
    const line = await gateway.joins()
    line.say({ op: 'typing', conv: 'dm:alice:bob', from: 'bob' })
    off()
    off()
    line.say({ op: 'typing', conv: 'dm:alice:bob', from: 'bob' })
    expect(heard).toEqual(['bob'])
  })

  it('are told of frames that make no sense, and unknown ops are left alone', async () => {
    const { client, gateway, record } = setup()
    const errors = record('error')
    client.connect()
    const line = await gateway.joins()
    line.say({ op: 'news', what: 1 }, { op: 'message' })
    line.say({ op: 'error', code: 'bad_request', message: 'bad ref' })
    expect(errors).toMatchObject([{ name: 'TypeError' }, { code: 'bad_request' }])
    expect(client.state).toBe('live')
  })
})
