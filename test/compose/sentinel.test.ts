/** The profile sentinel: gateways follow the sentinels from a master that dies to the next one. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { survives, talksEverywhere } from './suites/store.ts'
import { SENTINEL_URL, Stack } from './support/stack.ts'
import { until } from './support/until.ts'

let stack: Stack
beforeAll(async () => {
  stack = await Stack.up({ profiles: ['sentinel'], redisUrl: SENTINEL_URL })
  await stack.balanced(3)
})
beforeEach(({ onTestFailed }) => onTestFailed(async () => console.error(await stack.words())))
afterAll(() => stack?.down())

async function master(): Promise<string> {
  const words = ['redis-cli', '-p', '26379', 'sentinel', 'get-master-addr-by-name', 'starling']
  const [name = ''] = (await stack.compose('exec', '-T', 'sentinel-1', ...words)).split('\n')
  return name
}

it('says what is missing where the gateways were not told of the sentinels', async () => {
  const alone = stack.compose('run', '--rm', '--no-deps', '-T', '--env', 'REDIS_URL=', 'sentinel-1')
  await expect(alone).rejects.toThrow(`The profile sentinel wants REDIS_URL=${SENTINEL_URL}`)
})

it('serves from the first master', async () => {
  expect(await master()).toBe('redis')
  await talksEverywhere(stack)
})

it('goes on by itself when the master dies, and takes it back as a replica', async () => {
  await survives(stack, () => stack.compose('kill', 'redis'))
  expect(await master()).toMatch(/^redis-replica-\d$/)
  await stack.compose('start', 'redis')
  await until('the old master a replica', 60_000, async () =>
    (await stack.compose('exec', '-T', 'redis', 'redis-cli', 'role')).startsWith('slave'),
  )
})
