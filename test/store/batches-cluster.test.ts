/** Batches on a Redis Cluster: one call for all that lies on one master, and what becomes of it while slots move. */
import { randomUUID } from 'node:crypto'
import { channelConv, dmOf, type MessageId, type NodeId, seqOf, type UserId } from '@starling/protocol/ids'
import calculateSlot from 'cluster-key-slot'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Batches } from '../../src/store/batches.ts'
import { ConvStore } from '../../src/store/conv-store.ts'
import { DmStore } from '../../src/store/dm-store.ts'
import { createDurability } from '../../src/store/durability.ts'
import { keysIn, type Movers, moveKeys, moveSlot, openSlot } from '../faults/stage/move-slots.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import {
  DAY_MS,
  dmDraft,
  draftOf,
  ok,
  StoreWorld,
  sessionOf,
  someGroup,
  someNode,
  someone,
} from '../support/server-store.ts'

const MASTERS = 3
const unavailable = { code: 'unavailable' }

describe('batches on a Redis Cluster', () => {
  let cluster: RedisCluster
  let world: StoreWorld
  let calls: string[]
  let convs: ConvStore
  let dms: DmStore

  beforeAll(async () => {
    cluster = await startRedisCluster({ masters: MASTERS })
    world = await StoreWorld.open(cluster.url)
    calls = []
    const { redis, scripts, keys } = world
    const batches = new Batches({
      redis,
      keys,
      durability: createDurability('async', redis),
      onDone: (script) => calls.push(script),
    })
    convs = new ConvStore({ redis, scripts, batches, keys, limits: { maxlen: 1_000, ttlMs: DAY_MS } })
    dms = new DmStore({
      redis,
      batches,
      keys,
      limits: { log: 1_000, inbox: 1_000, ttlMs: DAY_MS, strangerLimit: 0 },
    })
  }, 60_000)
  afterAll(async () => {
    world.close()
    await cluster.stop()
  })
  // What one test has moved, the next one's client may not have heard of.
  beforeEach(() => new Promise<void>((done) => (world.redis as Cluster).refreshSlotsCache(() => done())))

  const slotOf = (owner: string) => calculateSlot(world.keys.owner(owner))
  const masterOf = (owner: string) => {
    if (!(world.redis instanceof Cluster)) throw new Error('no cluster')
    return Number(world.redis.slots[slotOf(owner)]![0]!.split(':')[1])
  }

  /** @returns owners that lie each in a slot of its own, all on one master or on any */
  function apart<Owner>(count: number, make: () => Owner, owner: (made: Owner) => string, onOne: boolean) {
    const found = new Map<number, Owner>()
    let master: number | undefined
    while (found.size < count) {
      const made = make()
      master ??= masterOf(owner(made))
      if (!onOne || masterOf(owner(made)) === master) found.set(slotOf(owner(made)), made)
    }
    return [...found.values()]
  }

  const channels = (count: number) =>
    apart(
      count,
      () => channelConv(someGroup()),
      (conv) => conv,
      true,
    )
  const append = (conv: ReturnType<typeof channelConv>, ref: string = randomUUID()) =>
    convs.append(draftOf(conv, someone(), { ref }), 'channel')
  const lengthAt = (conv: string) => world.redis.xlen(world.key(conv, 'log'))

  it('does not send again what was under way when its line closed: it may be done', async () => {
    const conv = channelConv(someGroup())
    const master = new Redis(masterOf(conv))
    const limit = (bytes: number) =>
      master.config('SET', 'client-output-buffer-limit', `normal ${bytes} 0 0 slave 0 0 0`)
    const key = world.key(conv, 'times')
    // Redis does it, and hangs up on an answer that is longer than it may be.
    await limit(16_384)
    try {
      const asked = world.redis.eval("redis.call('INCR', KEYS[1]) return ('x'):rep(1e6)", 1, key)
      await expect(asked).rejects.toThrow('no answer')
      expect(await master.get(key)).toBe('1')
    } finally {
      await limit(0)
      master.disconnect()
    }
  })

  /** Where a conversation may move. */
  function moversOf(conv: string): Movers {
    const masters = cluster.nodes.map(({ port }) => port)
    const from = masterOf(conv)
    return { from, to: masters.find((port) => port !== from)!, masters }
  }

  describe('jobs of many buckets', () => {
    const entryFor = (from: UserId, to: UserId) => {
      const id = `${Date.now()}-1` as MessageId
      return [id, dmDraft(from, to).tail] as const
    }
    const users = async (count: number, node: NodeId, onOne: boolean) => {
      const found = apart(
        count,
        () => someone(),
        (user) => `user:${user}`,
        onOne,
      )
      await Promise.all(found.map((user) => world.usersAt(node).join(sessionOf(user))))
      return found
    }
    const deliverTo = (to: readonly UserId[]) => {
      const from = someone()
      calls.length = 0
      return Promise.all(to.map((user) => dms.deliver(user, dmOf(from, user), ...entryFor(from, user))))
    }

    it('take one call a master, and each user is told', async () => {
      const node = someNode()
      const all = await users(30, node, false)
      const byMaster = Map.groupBy(all, (user) => masterOf(`user:${user}`))
      const ears = await Promise.all(
        [...byMaster.values()].map((some) => {
          const [first, ...others] = some.map((user) => `user:${user}`)
          return world.ear(node, first!, ...others)
        }),
      )
      const positions = await deliverTo(all)
      expect(calls).toEqual(Array.from({ length: MASTERS }, () => 'user/deliver'))
      expect(positions.map(seqOf)).toEqual(all.map(() => 1))
      const heard = (await Promise.all(ears.map((ear) => ear.heard()))).flat()
      const told = new Map(heard.map(({ topic, mark }) => [topic, mark]))
      expect(heard).toHaveLength(all.length)
      expect(told).toEqual(new Map(all.map((user, index) => [`user:${user}`, positions[index]])))
    })

    it('tell a node nothing of a bucket that it does not listen to', async () => {
      const node = someNode()
      const [unheard, ...others] = await users(4, node, true)
      const [first, second, third] = others.map((user) => `user:${user}`)
      const ear = await world.ear(node, first!, second!, third!)
      await deliverTo([unheard!, ...others])
      expect(calls).toEqual(['user/deliver'])
      expect((await ear.heard()).map(({ topic }) => topic)).toEqual([first, second, third])
    })
  })

  it('[P2] refuses a job whose slot is being moved before it writes, serves the others, and takes it afterwards', async () => {
    const [first, moving, last] = channels(3)
    for (const conv of [first, moving, last]) ok(await append(conv!))
    const movers = moversOf(moving!)
    await openSlot(slotOf(moving!), movers)
    // What remembers refs is there still; the log, which comes after it, is gone.
    await moveKeys([world.key(moving!, 'log')], movers)

    calls.length = 0
    const ref = randomUUID()
    const [before, refused, after] = await Promise.allSettled([
      append(first!),
      append(moving!, ref),
      append(last!),
    ])
    expect(calls).toEqual(['conv/append'])
    expect([before, after]).toMatchObject([{ value: { is: 'ok' } }, { value: { is: 'ok' } }])
    expect(refused).toMatchObject({ status: 'rejected', reason: unavailable })

    await moveSlot(slotOf(moving!), movers)
    const sent = ok(await append(moving!, ref))
    expect(seqOf(sent.id)).toBe(2)
    expect(await Promise.all([first, moving, last].map((conv) => lengthAt(conv!)))).toEqual([2, 2, 2])
    expect(await keysIn(slotOf(moving!), movers.from)).toEqual([])
  })

  it('[P1] writes nothing where a slot arrives before all of it is there', async () => {
    const [moving, other] = channels(2)
    ok(await append(moving!))
    const movers = moversOf(moving!)
    await openSlot(slotOf(moving!), movers)
    // The call is routed by its first job, which Redis says to ask for elsewhere.
    const refused = await Promise.allSettled([append(moving!), append(other!)])
    expect(refused).toMatchObject([{ reason: unavailable }, { reason: unavailable }])
    expect(await keysIn(slotOf(moving!), movers.to)).toEqual([])

    await moveSlot(slotOf(moving!), movers)
    expect(seqOf(ok(await append(moving!)).id)).toBe(2)
    expect(seqOf(ok(await append(other!)).id)).toBe(1)
  })

  it('looks at the layout anew where a job says that its slot has moved', async () => {
    const [first, moving] = channels(2)
    const movers = moversOf(moving!)
    await moveSlot(slotOf(moving!), movers)
    const [before, refused] = await Promise.allSettled([append(first!), append(moving!)])
    expect([before, refused]).toMatchObject([{ value: { is: 'ok' } }, { reason: unavailable }])
    await expect.poll(() => masterOf(moving!)).toBe(movers.to)
    ok(await append(moving!))
  })
})
