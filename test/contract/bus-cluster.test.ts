/** The bus on a Redis Cluster, where slots move under it. */
import calculateSlot from 'cluster-key-slot'
import { type Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { BusUnderTest } from '../support/server-bus.ts'
import { StoreWorld } from '../support/server-store.ts'
import { busContract } from './bus.ts'

describe('on a Redis Cluster', () => {
  let cluster: RedisCluster
  let admins: Redis[]

  busContract(async () => {
    cluster = await startRedisCluster({ masters: 3 })
    admins = cluster.nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
    return {
      url: cluster.url,
      async killFeeds() {
        await Promise.all(admins.map((admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')))
      },
      async stop() {
        for (const admin of admins) admin.disconnect()
        await cluster.stop()
      },
    }
  })

  it('[P4] loses no feed where a slot has moved before it is subscribed', async () => {
    const world = await StoreWorld.open(cluster.url)
    onTestFinished(() => world.close())
    let looks = 0
    const late = (addresses: readonly string[]) => {
      looks += 1
      const elsewhere = addresses.find((address) => address !== addresses[300])!
      return looks === 1 ? addresses.with(300, elsewhere) : addresses
    }
    const under = await BusUnderTest.start(cluster.url, world.redis, world.keys, late)
    onTestFinished(() => under.bus.close())
    expect(looks).toBeGreaterThan(1)
    expect(under.told).toEqual([])
    await under.hears([299, 300, 301], 'after all')
  })

  it('[P4] follows a slot that moves to another master', async () => {
    const world = await StoreWorld.open(cluster.url)
    onTestFinished(() => world.close())
    const under = await BusUnderTest.start(cluster.url, world.redis, world.keys)
    onTestFinished(() => under.bus.close())
    const bucket = 300
    const slot = calculateSlot(world.keys.bucket(bucket))
    const ids = await Promise.all(admins.map((admin) => admin.cluster('MYID')))
    const addresses = await world.placement.locate()
    const from = cluster.nodes.findIndex(({ port }) => addresses[bucket]?.endsWith(`:${port}`))
    const to = (from + 1) % admins.length
    // The new owner first, so that nobody believes that the slot is nobody's.
    for (const index of [to, from, 3 - to - from])
      await admins[index]!.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!)
    await under.untilMended([bucket])
    expect(under.told.map(({ is }) => is)).toEqual(['broken', 'mended'])
    await new Promise((resolve) => (world.redis as Cluster).refreshSlotsCache(resolve))
    await under.hears(
      Array.from({ length: 1024 }, (_, at) => at),
      'moved',
    )
  })
})
