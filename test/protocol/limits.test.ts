/** Sizes and rates: the limit itself is allowed, one more is not, and the answer is the one of the page. */
import { describe, expect, test } from 'vitest'
import { dmOf, seqOf, until, useWorld, worldFor } from '../support/harness.ts'
import { UpgradeRefused } from '../support/wire-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

const FRAME = 65_536
const BODY = 16_384

/** A ping of exactly so many bytes. */
const pingOf = (bytes: number, filler = 'x') => {
  const head = '{"op":"ping","ref":"big","x":"'
  const room = bytes - Buffer.byteLength(`${head}"}`)
  return `${head}${filler.repeat(room / Buffer.byteLength(filler))}"}`
}

/** A text body of exactly so many bytes of JSON. */
const bodyOf = (bytes: number, filler = 'x') => {
  const room = bytes - Buffer.byteLength(JSON.stringify({ type: 'text', text: '' }))
  return { type: 'text', text: filler.repeat(room / Buffer.byteLength(filler)) }
}

describe('a frame', () => {
  test('of 64 KiB is handled', async () => {
    const alice = await world.user('alice').connect(gw1)
    const frame = pingOf(FRAME)
    expect(Buffer.byteLength(frame)).toBe(FRAME)
    alice.say(frame)
    expect((await alice.reply('big')).op).toBe('pong')
  })

  test.each([FRAME + 1, 200_000, 1_048_576])('of %i bytes closes with 1009', async (bytes) => {
    const alice = await world.user('alice').connect(gw1)
    alice.say(pingOf(bytes))
    expect((await alice.closes()).code).toBe(1009)
    expect(alice.seen('pong')).toEqual([])
  })

  test('far above 1 MiB ends the line, and nobody else notices', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw1)
    alice.say('x'.repeat(8 * 1_048_576))
    expect([1006, 1009]).toContain((await alice.closes()).code)
    await bob.ping()
  })

  test('is measured in bytes of UTF-8, not in characters', async () => {
    const alice = await world.user('alice').connect(gw1)
    const frame = pingOf(FRAME + 2, '字')
    expect(frame.length).toBeLessThan(FRAME)
    alice.say(frame.replace('"}', 'xx"}'))
    expect((await alice.closes()).code).toBe(1009)
  })

  test('is measured after decompression', async () => {
    const wire = { perMessageDeflate: true }
    const alice = await world.user('alice').connect(gw1, { wire })
    alice.say(pingOf(FRAME))
    expect((await alice.reply('big')).op).toBe('pong')
    alice.say(pingOf(FRAME + 1))
    expect((await alice.closes()).code).toBe(1009)
    const bob = await world.user('bob').connect(gw2, { wire })
    bob.say('x'.repeat(20 * 1_048_576))
    expect([1006, 1009]).toContain((await bob.closes()).code)
  })

  test('above the limit before hello closes with 1009 as well', async () => {
    const line = await world.open(gw1)
    line.say(pingOf(FRAME + 1))
    expect((await line.closes()).code).toBe(1009)
  })
})

describe('a body', () => {
  test('of 16 KiB of JSON is stored, one byte more is too_large and is not', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const full = bodyOf(BODY)
    expect(Buffer.byteLength(JSON.stringify(full))).toBe(BODY)
    const ack = await alice.send(bob, full)
    expect((await bob.expects('message')).body).toEqual(full)
    expect((await alice.sendRefused(bob, bodyOf(BODY + 1), { ref: 'big' })).code).toBe('too_large')
    const next = await alice.send(bob, 'shorter', { ref: 'big' })
    expect(seqOf(next.id)).toBe(seqOf(ack.id) + 1)
    expect(next).not.toHaveProperty('dup', true)
  })

  test('is measured in bytes of UTF-8', async () => {
    const alice = await world.user('alice').connect(gw1)
    const wide = { type: 'text', text: '字'.repeat(6_000) }
    expect(wide.text.length).toBeLessThan(BODY)
    expect((await alice.sendRefused(world.user('bob'), wide)).code).toBe('too_large')
  })
})

describe('the rate of sends', () => {
  test('is 50 a second with a burst of 200: what is beyond is rate_limited, with retryIn', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const since = Date.now()
    const replies = await Promise.all(
      Array.from({ length: 400 }, (_, n) => alice.ask(alice.sendFrame(bob, `${n}`))),
    )
    const seconds = (Date.now() - since) / 1000
    const acks = replies.filter((reply) => reply.op === 'ack')
    const refusals = replies.filter((reply) => reply.op === 'error')
    expect(acks.length).toBeGreaterThanOrEqual(200)
    expect(acks.length).toBeLessThanOrEqual(200 + 50 * seconds + 5)
    expect(acks.map((ack) => seqOf(ack.id))).toEqual(acks.map((_, n) => n + 1))
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: 'rate_limited', retryIn: expect.any(Number) })
      expect(refusal.retryIn).toBeGreaterThan(0)
      expect(refusal.retryIn).toBeLessThan(10_000)
    }
    await new Promise((resolve) => setTimeout(resolve, refusals.at(-1)!.retryIn! + 50))
    await alice.send(bob, 'patience')
  })

  test('binds the session, not others', async () => {
    const alice = world.user('alice')
    const [busy, calm] = [await alice.connect(gw1), await alice.connect(gw1)]
    const bob = world.user('bob')
    await Promise.all(Array.from({ length: 260 }, (_, n) => busy.ask(busy.sendFrame(bob, `${n}`))))
    await calm.send(bob, 'in time')
    await busy.ping()
  })

  test('passed on and on closes with 4009', async (context) => {
    const slow = await worldFor(context, { gateways: 1, env: { SEND_RATE: '1', SEND_BURST: '1' } })
    const alice = await slow.user('alice').connect(slow.gw1)
    const calm = await slow.user('calm').connect(slow.gw1)
    for (let n = 0; n < 900; n++) alice.say(alice.sendFrame('user:bob', `${n}`, { ref: `r${n}` }))
    await alice.reply('r899')
    expect(alice.end).toBeUndefined()
    for (let n = 900; n < 1_200; n++) alice.say(alice.sendFrame('user:bob', `${n}`, { ref: `r${n}` }))
    expect((await alice.closes()).code).toBe(4009)
    await calm.send('user:bob', 'calm')
  })

  test('is what SEND_RATE and SEND_BURST say, and the welcome tells it', async (context) => {
    const slow = await worldFor(context, { gateways: 1, env: { SEND_RATE: '2', SEND_BURST: '5' } })
    const alice = await slow.user('alice').connect(slow.gw1)
    expect(alice.welcome.limits).toMatchObject({ sendsPerSecond: 2, burst: 5 })
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => alice.ask(alice.sendFrame('user:bob', 'x'))),
    )
    expect(replies.slice(0, 5).map(({ op }) => op)).toEqual(['ack', 'ack', 'ack', 'ack', 'ack'])
    expect(replies.filter(({ op }) => op === 'error').length).toBeGreaterThanOrEqual(3)
  })
})

describe('settings', () => {
  test('MAX_FRAME_BYTES and MAX_BODY_BYTES are the limits, and the welcome tells them', async (context) => {
    const env = { MAX_FRAME_BYTES: '8192', MAX_BODY_BYTES: '1024' }
    const small = await worldFor(context, { gateways: 1, env })
    const alice = await small.user('alice').connect()
    expect(alice.welcome.limits).toMatchObject({ frame: 8_192, body: 1_024 })
    await alice.send('user:bob', bodyOf(1_024))
    expect((await alice.sendRefused('user:bob', bodyOf(1_025))).code).toBe('too_large')
    alice.say(pingOf(8_192))
    await alice.reply('big')
    alice.say(pingOf(8_193))
    expect((await alice.closes()).code).toBe(1009)
  })

  test('more than MAX_CONNECTIONS are not served', async (context) => {
    const small = await worldFor(context, { gateways: 1, env: { MAX_CONNECTIONS: '3' } })
    const users = [small.user('a'), small.user('b'), small.user('c')]
    const served = await Promise.all(users.map((user) => user.connect()))
    await expect(small.user('d').connect()).rejects.toThrow()
    for (const session of served) await session.ping()
    await served[0]!.close()
    const one = () => small.user('e').connect()
    await until(
      async () =>
        one().then(
          () => true,
          () => false,
        ),
      5_000,
      'room for another',
    )
  })

  test('too many new connections are answered by 503 with Retry-After', async (context) => {
    const small = await worldFor(context, { gateways: 1, env: { CONNECT_RATE: '5' } })
    const attempts = await Promise.allSettled(Array.from({ length: 60 }, () => small.open()))
    const refusals = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []))
    expect(refusals.length).toBeGreaterThan(0)
    expect(refusals.length).toBeLessThan(60)
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(UpgradeRefused)
      const { status, headers } = refusal as UpgradeRefused
      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    }
    await until(
      async () =>
        small.open().then(
          () => true,
          () => false,
        ),
      10_000,
      'a connection after the rush',
    )
  })
})

describe('one who does not read', () => {
  test('is closed with 4008 or loses the line, and resume loses nothing', {
    timeout: 60_000,
  }, async (context) => {
    const env = { MAX_BUFFER_BYTES: '1048576', SEND_RATE: '100000', SEND_BURST: '100000' }
    const small = await worldFor(context, { gateways: 2, env })
    const alice = await small.user('alice').connect(small.gw1)
    const bob = small.user('bob')
    const slow = await bob.connect(small.gw2, { device: 'slow' })
    const other = await small.user('other').connect(small.gw2)
    slow.socket.pause()
    const count = 1_500
    for (let from = 0; from < count; from += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => alice.send(bob, bodyOf(BODY - ((from + n) % 7)))),
      )
    }
    await other.ping()
    slow.socket.resume()
    expect([4008, 1006]).toContain((await slow.closes()).code)
    const got = slow.seen('message').map((message) => seqOf(message.inbox!))
    expect(got).toEqual(got.map((_, n) => n + 1))
    expect(got.length).toBeLessThan(count)
    const back = await bob.connect(small.gw1, { device: 'slow' })
    const last = slow.seen('message').at(-1)
    const { messages } = await back.sync({ inbox: last?.inbox ?? '0-0' })
    expect([...got, ...messages.map((message) => seqOf(message.inbox!))]).toEqual(
      Array.from({ length: count }, (_, n) => n + 1),
    )
    expect(messages[0]!.conv).toBe(dmOf(alice, bob))
  })
})
