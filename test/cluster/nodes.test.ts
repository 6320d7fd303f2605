/** Nodes that die or lose their lease. A lease ends by moving its end in Redis, not by waiting for it. */
import { afterAll, expect, inject, test } from 'vitest'
import { seqOf, until, useWorld } from '../support/harness.ts'
import { StoreWorld } from '../support/server-store.ts'

const world = await useWorld({ gateways: 3 })
const store = await StoreWorld.open(inject('redisUrl'), world.cluster.keyPrefix)
afterAll(() => store.close())
const [gw1, gw2, gw3] = world.cluster.nodes as [typeof world.gw1, typeof world.gw1, typeof world.gw1]
const leases = store.keys.cluster('nodes')

/** The id of the only living node of this name. */
async function nodeOf(name: string): Promise<string> {
  const ids = (await store.redis.zrange(leases, '0', '-1')).filter((id) => id.startsWith(`${name}~`))
  expect(ids).toHaveLength(1)
  return ids[0]!
}

const heldKeys = (node: string) =>
  Array.from({ length: store.keys.buckets }, (_, bucket) => store.keys.held(bucket, node as never))

const countHeld = async (node: string) =>
  (await Promise.all(heldKeys(node).map((key) => store.redis.scard(key)))).reduce(
    (sum, count) => sum + count,
    0,
  )

test('[P5] a dead node is taken out of everything, and watchers on all others are told', async () => {
  const [alice, erin] = [await world.user('alice').connect(gw1), await world.user('erin').connect(gw2)]
  const both = world.user('both')
  const stays = await both.connect(gw1)
  await both.connect(gw3)
  const gone = world.user('gone')
  await gone.connect(gw3)
  await gone.connect(gw3)
  const group = await gone.createGroup({ members: [alice] })
  await stays.expects('session', ({ sessions }) => sessions.length === 2)
  for (const watcher of [alice, erin]) await watcher.gets('ok', { op: 'watch', users: [gone.id, both.id] })
  const node = await nodeOf('gw-3')
  await until(async () => (await store.nodesOf(group.conv)).includes(node), 5_000, 'attached')

  await gw3.kill('SIGKILL')
  await store.redis.zadd(leases, 1, node)
  for (const watcher of [alice, erin])
    await watcher.expects('presence', { op: 'presence', on: [], off: [gone.id] }, 15_000)
  await stays.expects('session', ({ sessions }) => sessions.length === 1)

  expect(alice.seen('presence', ({ off }) => off.includes(both.id))).toEqual([])
  await until(
    async () => (await store.redis.zscore(store.keys.cluster('reaping'), node)) === null,
    5_000,
    'reaped',
  )
  expect(await countHeld(node)).toBe(0)
  expect(await store.nodesOf(group.conv)).not.toContain(node)
  expect(await store.redis.zscore(leases, node)).toBeNull()
  const stats = await world.server.get<{ nodes: { node: string }[] }>('/stats')
  expect(stats.body.nodes.map((one) => one.node).toSorted()).toEqual(['gw-1', 'gw-2'])
})

test('[P1] a node that lost its lease sends its clients away, and serves them under another id when they are back', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')]
  const group = await alice.createGroup({ members: [bob] })
  const device = 'phone'
  const [a, b] = [await alice.connect(gw1), await bob.connect(gw2, { device })]
  let inbox = b.welcome.inbox

  for (let round = 0; round < 2; round++) {
    const line = round === 0 ? b : await bob.connect(gw2, { device })
    const old = await nodeOf('gw-2')
    expect(await store.redis.zrem(leases, old)).toBe(1)
    expect(await line.closes()).toMatchObject({ code: 1012 })
    const missed = await a.send(bob, `while away ${round}`)
    await until(async () => (await gw2.status('/readyz')) === 200, 10_000, 'gw-2 is ready')
    const now = await nodeOf('gw-2')
    expect(now).not.toBe(old)

    const back = await bob.connect(gw2, { device, inbox })
    expect(back.welcome.resumed).toBe(true)
    const { messages, synced } = await back.sync({ inbox })
    expect(messages.map(({ id }) => id)).toContain(missed.id)
    expect(seqOf(synced.inbox)).toBe(seqOf(inbox) + messages.length)
    inbox = synced.inbox
    const live = await a.send(group, `live ${round}`)
    await back.expects('message', { conv: group.conv, id: live.id })
    await until(async () => (await countHeld(old)) === 0, 5_000, 'nothing is held under the old id')
    expect(await store.nodesOf(group.conv)).not.toContain(old)
    await back.close()
  }
})

test('[P5] a lapsed lease that nobody has claimed yet is simply renewed', async () => {
  const node = await nodeOf('gw-1')
  const line = await world.user('alice').connect(gw1)
  await store.redis.zadd(leases, Date.now() - 1, node)
  await until(async () => Number(await store.redis.zscore(leases, node)) > Date.now(), 5_000, 'renewed')
  expect(await nodeOf('gw-1')).toBe(node)
  expect((await line.ping()).op).toBe('pong')
})
