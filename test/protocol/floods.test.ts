/** One who says far more than anybody needs: bounded, refused, closed; those beside them are served. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until, useWorld } from '../support/harness.ts'
import { INSPECTED, MIB, memoryIsBack, memoryOf } from '../support/memory-probe.ts'
import { startRedis } from '../support/redis.ts'
import type { WireClient } from '../support/wire-client.ts'

const redis = await startRedis()
afterAll(() => redis.stop())
const world = await useWorld({ gateways: 1, redisUrl: redis.url, env: INSPECTED })
const { gw1 } = world
const FLOOD = 3_000

let bystander: WireClient
let mallory: WireClient

beforeEach(async () => {
  bystander = await world.user('bystander').connect()
  mallory = await world.user('mallory').connect()
})

afterEach(async () => {
  await until(async () => (await gw1.status('/readyz')) === 200, 10_000, 'a gateway that is ready')
  expect(bystander.end).toBeUndefined()
  await bystander.send(bystander, 'all is well')
})

/** Floods while Redis is held up, so that nothing gets done and all of it is under way. */
async function flood(line: WireClient, frame: (n: number) => object): Promise<number> {
  await redis.pause()
  try {
    for (let n = 0; n < FLOOD; n++) line.say(frame(n))
    return (await line.closes()).code
  } finally {
    await redis.resume()
  }
}

describe('a flood of', () => {
  test.each<[string, (n: number) => object]>([
    ['received', (n) => ({ op: 'received', inbox: `0-${n}` })],
    ['read', () => ({ op: 'read', conv: 'channel:lobby', id: '0-1' })],
    ['watch', () => ({ op: 'watch', users: Array.from({ length: 200 }, (_, n) => `user-${n}`) })],
    ['watch for everybody', () => ({ op: 'watch', users: ['*'] })],
  ])('%s is refused beyond what may be under way, and closed with 4009', async (_what, frame) => {
    expect(await flood(mallory, frame)).toBe(4009)
    const refusals = mallory.seen('error', { code: 'rate_limited' })
    expect(refusals.length).toBeGreaterThan(900)
    for (const { retryIn } of refusals) expect(retryIn).toBeGreaterThan(0)
  })

  test('pings is answered, each of them', async () => {
    for (let n = 0; n < FLOOD; n++) mallory.say({ op: 'ping' })
    await mallory.ping()
    expect(mallory.seen('pong')).toHaveLength(FLOOD + 1)
  })

  test('one after the other leaves no memory behind', async () => {
    const before = await memoryOf(gw1)
    for (let round = 0; round < 4; round++) {
      const line = await world.user('mallory').connect()
      await flood(line, (n) => ({ op: 'received', inbox: `0-${n}` }))
      await until(async () => (await gw1.status('/readyz')) === 200, 10_000, 'a gateway that is ready')
    }
    await memoryIsBack(gw1, before, { used: 2 * MIB, rss: 64 * MIB })
  })
})

test('what a busy client may have under way is all done', async () => {
  const asks = Array.from({ length: 900 }, () =>
    mallory.ask({ op: 'read', conv: 'channel:lobby', id: '0-1' }),
  )
  for (const reply of await Promise.all(asks)) expect(reply.op).toBe('ok')
  const users = Array.from({ length: 2_000 }, (_, n) => `user-${n}`)
  const watches = Array.from({ length: 10 }, (_, n) => users.slice(n * 200, (n + 1) * 200))
  const replies = await Promise.all(watches.map((some) => mallory.ask({ op: 'watch', users: some })))
  for (const reply of replies) expect(reply.op).toBe('ok')
})

test('typing in more than 100 conversations at once is not passed on', async () => {
  for (let n = 0; n < 99; n++) mallory.say({ op: 'typing', to: `user:nobody-${n}` })
  mallory.say({ op: 'typing', to: bystander.target })
  await bystander.expects('typing', { from: mallory.id })
  const another = await world.user('another').connect()
  mallory.say({ op: 'typing', to: another.target })
  await another.expectsNothing('typing', {}, { after: mallory })
})

test('a sync of thousands of conversations lists those that may be read, and leaves the others out', async () => {
  const convs = Object.fromEntries(Array.from({ length: 3_500 }, (_, n) => [`group:${n}`, '0-0']))
  mallory.say({ op: 'sync', ref: 'many', convs: { ...convs, 'channel:lobby': '0-0' } })
  expect(await mallory.reply('many', 25_000)).toMatchObject({
    op: 'synced',
    convs: [{ conv: 'channel:lobby' }],
  })
})
