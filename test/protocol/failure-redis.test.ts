/** Redis stopped, frozen and back, and a live feed that breaks: what clients see, and that nothing is lost or doubled. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { dmOf, reachesLive, until, World } from '../support/harness.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import type { WireClient } from '../support/wire-client.ts'

interface History {
  messages: { id: string; body: { text: string } }[]
}

/** Says one inline command to a Redis. @returns the first line of its answer */
async function answerOf({ host, port }: TestRedis, command: string): Promise<string> {
  const socket = connect(port, host)
  await once(socket, 'connect')
  socket.write(`${command}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString().split('\r\n')[0]!
}

type Context = { onTestFinished: (end: () => Promise<void>) => void }

/** A cluster on a Redis of its own, with Alice on one gateway and Bob on the other. */
async function scene({ onTestFinished }: Context) {
  const redis = await startRedis()
  onTestFinished(async () => {
    await redis.resume()
    await redis.stop()
  })
  const world = await World.start({ redisUrl: redis.url })
  onTestFinished(() => world.close())
  const [alice, bob] = [world.user('alice'), world.user('bob')]
  const group = await alice.createGroup({ members: [bob] })
  const [a, b] = [await alice.connect(world.gw1), await bob.connect(world.gw2)]
  const words = async (conv: string) => {
    const { body } = await alice.http(world.gw2).get<History>(`/conversations/${conv}/messages?limit=100`)
    return body.messages.flatMap((message) => message.body.text ?? [])
  }
  return { redis, world, alice, bob, group, a, b, words }
}

type Scene = Awaited<ReturnType<typeof scene>>

/** Both gateways are ready again, and messages of every kind go through live again. */
async function allIsWell({ world, bob, group, a, b }: Scene): Promise<void> {
  await world.gw1.ready()
  await world.gw2.ready()
  for (const to of [bob, group, { target: 'channel:lobby' }]) await reachesLive(a, to, b)
}

/**
 * Waits until a session knows that it must sync, or need not: the last of these dms has come live (a jump before it
 * shows by itself), or a `resync`. Then sync brings them all. Whether a `resync` comes to one who has missed nothing
 * is left open by the page.
 */
async function learns(session: WireClient, inbox: string, sent: { id: string }[]): Promise<void> {
  const last = sent.at(-1)!.id
  const knows = async () => session.seen('message', { id: last }).length + session.seen('resync').length > 0
  await until(knows, 10_000, 'the last message live, or resync')
  const { messages } = await session.sync({ inbox })
  const known = new Set([...session.seen('message'), ...messages].map(({ id }) => id))
  expect(sent.filter(({ id }) => !known.has(id))).toEqual([])
}

describe.concurrent('Redis', () => {
  test('stopped: sends are unavailable and not acked, sessions stay, readyz is red; back: refs settle', {
    timeout: 90_000,
  }, async (context) => {
    const on = await scene(context)
    const { redis, world, alice, bob, a, b, words } = on
    await a.send(bob, 'before')
    await redis.down()
    const refusal = await a.sendRefused(bob, 'during', { ref: 'during' })
    expect(refusal).toMatchObject({ code: 'unavailable', retryIn: expect.any(Number) })
    await until(async () => (await world.gw1.status('/readyz')) === 503, 10_000, 'readyz is red')
    expect(await world.gw1.status('/healthz')).toBe(200)
    const http = await alice.http().get('/conversations')
    expect(http).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    a.say({ op: 'ping', ref: 'still here' })
    expect([a.end, b.end]).toEqual([undefined, undefined])

    await redis.up()
    await world.gw1.ready()
    await world.gw2.ready()
    await learns(b, '0-0', [
      await a.send(bob, 'during', { ref: 'during', retry: true }),
      await a.send(bob, 'after'),
    ])
    expect(await words(dmOf(alice, bob))).toEqual(['before', 'during', 'after'])
    const { messages } = await b.sync({ inbox: '0-0' })
    const texts = messages.flatMap(({ body }) => (body.type === 'text' ? [body.text] : []))
    expect([...new Set(texts)]).toEqual(['before', 'during', 'after'])
    expect([a.end, b.end]).toEqual([undefined, undefined])
    await allIsWell(on)
  })

  test('frozen: what is unavailable is not known to be stored; its ref settles it, once', {
    timeout: 90_000,
  }, async (context) => {
    const on = await scene(context)
    const { redis, alice, bob, group, a, words } = on
    await a.send(bob, 'before')
    await redis.pause()
    const targets = [bob, group]
    const frames = targets.map((to, n) => a.sendFrame(to, `frozen ${n}`))
    const replies = frames.map((frame) => a.reply(frame.ref, 30_000))
    for (const frame of frames) a.say(frame)
    for (const reply of await Promise.all(replies))
      expect(reply).toMatchObject({ op: 'error', code: 'unavailable' })
    await redis.resume()
    await on.world.gw1.ready()
    for (const frame of frames) await a.gets('ack', { ...frame, retry: true })
    expect(await words(dmOf(alice, bob))).toEqual(['before', 'frozen 0'])
    expect(await words(group.conv)).toEqual(['frozen 1'])
    expect(a.end).toBeUndefined()
    await allIsWell(on)
  })

  test('[P4] whose feed to a gateway drops, again and again: what clients miss they are told to sync', async (context) => {
    const on = await scene(context)
    const { redis, bob, a, b } = on
    const { inbox } = await b.ping()
    const sent = []
    for (let round = 0; round < 5; round++) {
      const flying = Array.from({ length: 20 }, (_, n) => a.send(bob, `${round} ${n}`))
      expect(await answerOf(redis, 'CLIENT KILL TYPE pubsub')).toMatch(/^:\d+/)
      sent.push(...(await Promise.all(flying)))
    }
    await learns(b, inbox, sent)
    await allIsWell(on)
  })
})
