/** Gateways that die, drain and come back, as their users and the users of the others see it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, test } from 'vitest'
import { dmOf, reachesLive, seqOf, until, worldFor } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import { RedisProxy } from '../support/redis-proxy.ts'

/**
 * How long to wait for what a node's death brings. P5 promises 20 s, which the fault suite holds against the clock; a test
 * on a busy machine only wants to see that it comes.
 */
const DEATH_SHOWS_MS = 40_000

interface History {
  messages: { id: string; body: { text?: string } }[]
}

describe.concurrent('kill -9 of a gateway', () => {
  test('[P5] takes its users offline, and leaves no ghost', {
    timeout: 60_000,
  }, async (context) => {
    const world = await worldFor(context)
    const { gw1, gw2 } = world
    const alice = await world.user('alice').connect(gw1)
    const both = world.user('both')
    const [here, bob] = [await both.connect(gw1), await world.user('bob').connect(gw2)]
    await both.connect(gw2)
    await here.expects('session', ({ sessions }) => sessions.length === 2)
    const ok = await alice.gets('ok', { op: 'watch', users: [bob.id, both.id] })
    expect(ok).toMatchObject({ presence: { off: [] } })
    await gw2.kill('SIGKILL')
    await alice.expects('presence', ({ off }) => off.includes(bob.id), DEATH_SHOWS_MS)
    await here.expects('session', ({ sessions }) => sessions.length === 1)
    expect(alice.seen('presence', ({ off }) => off.includes(both.id))).toEqual([])
    const http = world.user('reader').http(gw1)
    expect((await http.get(`/presence?users=${bob.id},${both.id}`)).body).toEqual({
      presence: { on: [both.id], off: [bob.id] },
    })
    const online = await http.get<{ users: { id: string }[]; total: number }>('/presence/online')
    expect(online.body.users.map(({ id }) => id).toSorted()).toEqual([alice.id, both.id].toSorted())
    expect(online.body.total).toBe(2)
    expect((await world.userCalled(bob.id).http(gw1).get('/sessions')).body).toEqual({ sessions: [] })
  })

  test('[P5] one who comes back elsewhere within 2 s was never off', { timeout: 60_000 }, async (context) => {
    const world = await worldFor(context)
    const { gw1, gw2 } = world
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    await bob.connect(gw2, { device: 'phone' })
    await alice.gets('ok', { op: 'watch', users: [bob.id] })
    await gw2.kill('SIGKILL')
    const back = await bob.connect(gw1, { device: 'phone' })
    await back.expects('session', ({ sessions }) => sessions.length === 1, DEATH_SHOWS_MS)
    await alice.expectsNothing('presence', ({ off }) => off.includes(bob.id), { after: back })
  })

  test('[P1] [P2] loses nothing that was acked, and doubles nothing that is sent again', {
    timeout: 60_000,
  }, async (context) => {
    const world = await worldFor(context)
    const { gw1, gw2 } = world
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup({ members: [bob] })
    const a = await alice.connect(gw2, { device: 'laptop' })
    const b = await bob.connect(gw1)
    const frames = Array.from({ length: 120 }, (_, n) => a.sendFrame(n % 2 === 0 ? bob : group, `${n}`))
    const acked = new Map<string, string>()
    const replies: Promise<unknown>[] = []
    let dead: Promise<unknown> | undefined
    for (const [n, frame] of frames.entries()) {
      replies.push(
        a.reply(frame.ref).then(
          (answer) => answer.op === 'ack' && acked.set(frame.ref, answer.id),
          () => {},
        ),
      )
      a.say(frame)
      if (n === 60) await Promise.all(replies)
      if (n === 90) dead = gw2.kill('SIGKILL')
    }
    await dead
    await a.closed
    const again = await alice.connect(gw1, { device: 'laptop' })
    for (const frame of frames) {
      const ack = await again.gets('ack', { ...frame, retry: true })
      const before = acked.get(frame.ref)
      if (before !== undefined) expect(ack).toMatchObject({ id: before, dup: true })
    }
    expect(acked.size).toBeGreaterThanOrEqual(60)
    const words = async (conv: string) => {
      const { body } = await bob.http(gw1).get<History>(`/conversations/${conv}/messages?limit=100`)
      return body.messages.flatMap((message) => message.body.text ?? []).map(Number)
    }
    const ascending = (x: number, y: number) => x - y
    expect((await words(dmOf(alice, bob))).toSorted(ascending)).toEqual(
      Array.from({ length: 60 }, (_, n) => 2 * n),
    )
    expect((await words(group.conv)).toSorted(ascending)).toEqual(
      Array.from({ length: 60 }, (_, n) => 2 * n + 1),
    )
    const { messages } = await b.sync({ inbox: '0-0' })
    const inboxWords = new Set(
      messages.flatMap(({ body }) => (body.type === 'text' ? [Number(body.text)] : [])),
    )
    expect([...inboxWords].toSorted(ascending)).toEqual(Array.from({ length: 60 }, (_, n) => 2 * n))
  })

  test('and a restart: everybody is served again at the same address', {
    timeout: 60_000,
  }, async (context) => {
    const world = await worldFor(context)
    const { gw1, gw2 } = world
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup({ members: [bob] })
    const a = await alice.connect(gw1)
    const before = await bob.connect(gw2, { device: 'phone' })
    const first = await a.send(bob, 'before')
    const { inbox } = await before.expects('message', { id: first.id })
    await gw2.kill('SIGKILL')
    const missed = [await a.send(bob, 'missed'), await a.send(group, 'missed in the group')]
    await gw2.restart()
    const back = await bob.connect(gw2, { device: 'phone', inbox: inbox! })
    expect(back.welcome).toMatchObject({ resumed: true, node: 'gw-2' })
    const { messages } = await back.sync({ inbox: inbox!, convs: { [group.conv]: '0-0' } })
    expect(messages.map(({ id }) => id)).toEqual(expect.arrayContaining(missed.map(({ id }) => id)))
    // Until the cluster has buried the old gateway, and after that.
    for (let second = 0; second < 22; second++) {
      for (const to of [bob, group, { target: 'channel:lobby' }]) await reachesLive(a, to, back)
      await sleep(1_000)
    }
  })
})

test.concurrent('[P5] a gateway that hangs counts as dead, and is no ghost when it goes on', {
  timeout: 90_000,
}, async (context) => {
  const world = await worldFor(context)
  const { gw1, gw2 } = world
  const alice = await world.user('alice').connect(gw1)
  const bob = world.user('bob')
  const hanging = await bob.connect(gw2, { device: 'phone' })
  await alice.gets('ok', { op: 'watch', users: [bob.id] })
  gw2.pause()
  await alice.expects('presence', ({ off }) => off.includes(bob.id), DEATH_SHOWS_MS)
  const missed = await alice.send(bob, 'while it hung')
  gw2.resume()
  // Its old session has ended, or is online again: anything between would be a ghost.
  const isEnded = hanging.closes(DEATH_SHOWS_MS).then(
    () => true,
    () => false,
  )
  const isOnline = alice
    .expects('presence', ({ on }) => on.includes(bob.id), DEATH_SHOWS_MS)
    .then(
      () => true,
      () => false,
    )
  expect(await Promise.race([isEnded, isOnline])).toBe(true)
  // It may turn newcomers away while it catches up, and send away whom it took before it knew that its lease is gone.
  const connect = async () => {
    const session = await bob.connect(gw2, { device: 'phone' })
    return { session, messages: (await session.sync({ inbox: '0-0' })).messages }
  }
  const { session: back, messages } = await until(
    () => connect().catch(() => undefined),
    30_000,
    'a session on the gateway that hung',
  )
  expect(messages.map(({ id }) => id)).toEqual([missed.id])
  await reachesLive(alice, bob, back)
})

test.concurrent('[P5] a join whose answer is lost: who is back at once is told to be there', {
  timeout: 60_000,
}, async (context) => {
  const proxy = await RedisProxy.start(inject('redisUrl'))
  context.onTestFinished(() => proxy.close())
  const world = await worldFor(context, { redisUrls: [undefined, proxy.url] })
  const { gw1, gw2 } = world
  const alice = await world.user('alice').connect(gw1)
  const bob = world.user('bob')
  await alice.gets('ok', { op: 'watch', users: [bob.id] })
  const device = 'unanswered'
  const silenced = proxy.silencesAnswerTo(device)
  const refusal = bob.connect(gw2, { device }).then(
    () => 'taken',
    () => 'refused',
  )
  ;(await silenced).cut()
  expect(await refusal).toBe('refused')
  await bob.connect(gw1)
  await alice.expects('presence', ({ on }) => on.includes(bob.id), 10_000)
})

describe.concurrent('a drain', () => {
  test('says goodbye, serves sends, closes with 1012 and exits with 0', {
    timeout: 40_000,
  }, async (context) => {
    const world = await worldFor(context, { env: { DRAIN_SECONDS: '3' } })
    const { gw1, gw2 } = world
    const alice = await world.user('alice').connect(gw2)
    const bob = await world.user('bob').connect(gw1)
    const since = Date.now()
    const exit = gw2.stop()
    const goodbye = await alice.expects('goodbye')
    expect(goodbye).toMatchObject({ reason: expect.any(String), retryIn: expect.any(Number) })
    expect(goodbye.retryIn).toBeGreaterThanOrEqual(0)
    expect(goodbye.retryIn).toBeLessThanOrEqual(4_000)
    expect(await gw2.status('/readyz').catch(() => 'refused')).not.toBe(200)
    const ack = await alice.send(bob, 'last words')
    await bob.expects('message', { id: ack.id, body: text('last words') })
    const answer = await bob.send(alice, 'farewell')
    await alice.expects('message', { id: answer.id })
    expect((await alice.closes()).code).toBe(1012)
    expect(await exit, gw2.tail).toEqual({ code: 0, signal: null })
    expect(Date.now() - since).toBeLessThan(10_000)
    expect(await gw1.status('/readyz')).toBe(200)
    await bob.ping()
  })

  test('ends at once, or nearly, where nobody is connected', { timeout: 40_000 }, async (context) => {
    const world = await worldFor(context, { gateways: 1, env: { DRAIN_SECONDS: '2' } })
    const exit = await world.gw1.stop()
    expect(exit, world.gw1.tail).toEqual({ code: 0, signal: null })
  })

  test('is obeyed by clients without anybody seeing them off, and without loss', {
    timeout: 60_000,
  }, async (context) => {
    const world = await worldFor(context, { env: { DRAIN_SECONDS: '3' } })
    const { gw1, gw2 } = world
    const watcher = await world.user('watcher').connect(gw1)
    const users = Array.from({ length: 5 }, () => world.user('user'))
    const sessions = await Promise.all(users.map((user) => user.connect(gw2, { device: 'phone' })))
    await watcher.gets('ok', { op: 'watch', users: users.map(({ id }) => id) })
    const sent: { id: string; conv: string }[] = []
    const exit = gw2.stop()
    const moved = sessions.map(async (session, n) => {
      const { retryIn } = await session.expects('goodbye')
      await Promise.race([session.closed, sleep(retryIn)])
      session.drop()
      return users[n]!.connect(gw1, { device: 'phone' })
    })
    for (let round = 0; round < 10; round++) {
      for (const user of users) sent.push(await watcher.send(user, `${round}`))
      await sleep(100)
    }
    const back = await Promise.all(moved)
    await exit
    for (const session of back) {
      const { messages } = await session.sync({ inbox: '0-0' })
      const expected = sent.filter(({ conv }) => conv === dmOf(session, watcher)).map(({ id }) => id)
      expect(messages.map(({ id }) => id)).toEqual(expected)
      expect(messages.map(({ inbox }) => seqOf(inbox!))).toEqual(expected.map((_, n) => n + 1))
    }
    expect(watcher.seen('presence', ({ off }) => off.length > 0)).toEqual([])
  })

  test('takes the gateway out of the numbers and is over for good', { timeout: 40_000 }, async (context) => {
    const world = await worldFor(context, { env: { DRAIN_SECONDS: '1' } })
    await world.gw2.stop()
    const nodes = async () => (await world.server.get<{ nodes: unknown[] }>('/stats')).body.nodes.length
    await until(async () => (await nodes()) === 1, 5_000, 'one node left')
    await world.gw2.restart()
    await until(async () => (await nodes()) === 2, 5_000, 'two nodes again')
  })
})
