/** The tests' own Redis: what the tests of failures rest on. */
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../support/redis.ts'
import { startRedisCluster } from '../../support/redis-cluster.ts'

async function connected(commandTimeout = 10_000) {
  const server = await startRedis()
  const redis = new Redis(server.url, { commandTimeout, retryStrategy: () => 20 })
  redis.on('error', () => {})
  onTestFinished(async () => {
    redis.disconnect()
    await server.stop()
  })
  return { server, redis }
}

it('comes back at the same address with what it had stored', async () => {
  const { server, redis } = await connected()
  await redis.set('kept', '1')
  await server.restart()
  expect(await redis.get('kept')).toBe('1')
})

it('answers nothing while paused, and everything after', async () => {
  const { server, redis } = await connected(1_000)
  await redis.ping()
  await server.pause()
  await expect(redis.ping()).rejects.toThrow('timed out')
  await server.resume()
  expect(await redis.ping()).toBe('PONG')
})

it('makes a cluster whose replica takes over from a killed master, which comes back as a replica', async () => {
  const cluster = await startRedisCluster({ masters: 3, replicasPerMaster: 1 })
  onTestFinished(() => cluster.stop())
  const [master, other] = cluster.nodes
  await master!.kill()
  const asked = new Redis(other!.port)
  onTestFinished(() => asked.disconnect())
  await expect
    .poll(
      () => asked.cluster('SLOTS').then((slots) => slots.some(([, , owner]) => owner?.[1] === master!.port)),
      {
        timeout: 20_000,
      },
    )
    .toBe(false)
  await master!.up()
  await cluster.settled()
  const revived = new Redis(master!.port)
  onTestFinished(() => revived.disconnect())
  expect(await revived.info('replication')).toContain('role:slave')
})
