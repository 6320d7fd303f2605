/** How often one may try to sign in, counted on a real Redis. */
import { randomUUID } from 'node:crypto'
import type { UserId } from '@starling/protocol/ids'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { AttemptStore } from '../../src/store/attempt-store.ts'

const redis = new Redis(inject('redisUrl'))
const prefix = `t-${randomUUID()}:`
/** Two gateways, one count. */
const [here, there] = [new AttemptStore({ redis, prefix }), new AttemptStore({ redis, prefix })]
afterAll(() => redis.quit())

const alice = 'alice' as UserId
const refused = { code: 'rate_limited', retryIn: expect.any(Number) }

test('ten wrong passwords for one user from one address, and no more, on all gateways together', async () => {
  for (let n = 0; n < 10; n++) await (n % 2 ? here : there).password(alice, '203.0.113.1')
  const refusal = here.password(alice, '203.0.113.1')
  await expect(refusal).rejects.toMatchObject(refused)
  const { retryIn } = (await refusal.catch((error: unknown) => error)) as { retryIn: number }
  expect(retryIn).toBeGreaterThan(0)
  expect(retryIn).toBeLessThanOrEqual(300_000)
  await here.password(alice, '203.0.113.2')
  await here.password('bob' as UserId, '203.0.113.1')
})

test('passwords shown all at once are counted too', async () => {
  const tries = await Promise.allSettled(
    Array.from({ length: 30 }, () => here.password('carol' as UserId, '203.0.113.3')),
  )
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
})

test('right passwords are not counted', async () => {
  const dave = 'dave' as UserId
  for (let n = 0; n < 25; n++) await (await here.password(dave, '203.0.113.4')).forget()
  for (let n = 0; n < 10; n++) await here.password(dave, '203.0.113.4')
  await expect(here.password(dave, '203.0.113.4')).rejects.toMatchObject(refused)
})

test('an address has 600 requests of a kind in a minute', async () => {
  await Promise.all(Array.from({ length: 600 }, () => here.count('guest', '203.0.113.5')))
  await expect(there.count('guest', '203.0.113.5')).rejects.toMatchObject(refused)
  await there.count('register', '203.0.113.5')
  await there.count('guest', '203.0.113.6')
})

test('without Redis nobody knows: unavailable', async () => {
  const gone = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 })
  gone.on('error', () => {})
  const lost = new AttemptStore({ redis: gone, prefix })
  await expect(lost.count('login', '203.0.113.7')).rejects.toMatchObject({ code: 'unavailable' })
  gone.disconnect()
})
