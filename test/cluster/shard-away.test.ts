/** A node that loses its lease while a part of the Redis Cluster is away. */
import calculateSlot from 'cluster-key-slot'
import type { Cluster } from 'ioredis'
import { expect, test } from 'vitest'
import { worldFor } from '../support/harness.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { StoreWorld } from '../support/server-store.ts'

test('[P4] it lets nobody in who would hear nothing, and ends in good order when it is told to', {
  timeout: 60_000,
}, async (context) => {
  const redis = await startRedisCluster({ settings: { 'cluster-require-full-coverage': 'no' } })
  context.onTestFinished(() => redis.stop())
  const world = await worldFor(context, { redisUrl: redis.url, gateways: 1 })
  const store = await StoreWorld.open(redis.url, world.cluster.keyPrefix)
  context.onTestFinished(() => store.close())
  const { gw1 } = world
  const line = await world.user('alice').connect(gw1)

  const leases = store.keys.cluster('nodes')
  const [master] = (store.redis as Cluster).slots[calculateSlot(leases)]!
  await redis.nodes.find(({ port }) => master !== `127.0.0.1:${port}`)!.kill()
  expect(await store.redis.zremrangebyrank(leases, 0, -1)).toBe(1)
  expect(await line.closes(20_000)).toMatchObject({ code: 1012 })
  await expect(world.user('bob').connect(gw1)).rejects.toThrow('503')
  expect(await gw1.stop(), gw1.tail).toEqual({ code: 0, signal: null })
})
