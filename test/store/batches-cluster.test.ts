/** Batches on a Redis Cluster: what becomes of them while slots move. */
import { randomUUID } from 'node:crypto'
import { channelConv, seqOf } from '@starling/protocol/ids'
import calculateSlot from 'cluster-key-slot'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keysIn, type Movers, moveKeys, moveSlot, openSlot } from '../faults/stage/move-slots.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { draftOf, ok, StoreWorld, someGroup, someone } from '../support/server-store.ts'

const MASTERS = 3
const unavailable = { code: 'unavailable' }

describe('batches on a Redis Cluster', () => {
  let cluster: RedisCluster
  let world: StoreWorld

  beforeAll(async () => {
    cluster = await startRedisCluster({ masters: MASTERS })
    world = await StoreWorld.open(cluster.url)
  }, 60_000)
  afterAll(async () => {
    world.close()
    await cluster.stop()
  })

  const slotOf = (owner: string) => calculateSlot(world.keys.owner(owner))
  const masterOf = (owner: string) => {
    if (!(world.redis instanceof Cluster)) throw new Error('no cluster')
    return Number(world.redis.slots[slotOf(owner)]![0]!.split(':')[1])
  }

  /** @returns channels of one master, each in a slot of its own */
  function channels(count: number) {
    const found = new Map<number, ReturnType<typeof channelConv>>()
    const master = masterOf(channelConv(someGroup()))
    while (found.size < count) {
      const conv = channelConv(someGroup())
      if (masterOf(conv) === master) found.set(slotOf(conv), conv)
    }
    return [...found.values()]
  }
  const append = (conv: ReturnType<typeof channelConv>, ref: string = randomUUID()) =>
    world.convs.append(draftOf(conv, someone(), { ref }), 'channel')
  const lengthAt = (conv: string) => world.redis.xlen(world.key(conv, 'log'))

  /** Where a conversation may move. */
  function moversOf(conv: string): Movers {
    const masters = cluster.nodes.map(({ port }) => port)
    const from = masterOf(conv)
    return { from, to: masters.find((port) => port !== from)!, masters }
  }

  it('[P2] refuses a job whose slot is being moved before it writes, serves the others, and takes it afterwards', async () => {
    const [first, moving, last] = channels(3)
    for (const conv of [first, moving, last]) ok(await append(conv!))
    const movers = moversOf(moving!)
    await openSlot(slotOf(moving!), movers)
    // What remembers refs is there still; the log, which comes after it, is gone.
    await moveKeys([world.key(moving!, 'log')], movers)

    const ref = randomUUID()
    const [before, refused, after] = await Promise.allSettled([
      append(first!),
      append(moving!, ref),
      append(last!),
    ])
    expect([before, after]).toMatchObject([{ value: { is: 'ok' } }, { value: { is: 'ok' } }])
    expect(refused).toMatchObject({ status: 'rejected', reason: unavailable })

    await moveSlot(slotOf(moving!), movers)
    const sent = ok(await append(moving!, ref))
    expect(seqOf(sent.id)).toBe(2)
    expect(await Promise.all([first, moving, last].map((conv) => lengthAt(conv!)))).toEqual([2, 2, 2])
    expect(await keysIn(slotOf(moving!), movers.from)).toEqual([])
  })

  it('[P1] writes nothing where a slot arrives before all of it is there', async () => {
    const [moving] = channels(1)
    ok(await append(moving!))
    const movers = moversOf(moving!)
    await openSlot(slotOf(moving!), movers)
    await expect(append(moving!)).rejects.toMatchObject(unavailable)
    expect(await keysIn(slotOf(moving!), movers.to)).toEqual([])

    await moveSlot(slotOf(moving!), movers)
    expect(seqOf(ok(await append(moving!)).id)).toBe(2)
  })
})
