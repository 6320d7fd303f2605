/** The profile redis-cluster: gateways on six Redis nodes, one of which dies. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { survives, talksEverywhere } from './suites/store.ts'
import { CLUSTER_URL, Stack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await Stack.up({ profiles: ['redis-cluster'], redisUrl: CLUSTER_URL })
  await stack.balanced(3)
})
beforeEach(({ onTestFailed }) => onTestFailed(async () => console.error(await stack.words())))
afterAll(() => stack?.down())

const asks = (...words: string[]) => stack.compose('exec', '-T', 'redis-node-2', 'redis-cli', ...words)

it('says what is missing where the gateways were not told of the cluster', async () => {
  const alone = stack.compose('run', '--rm', '--no-deps', '-T', '--env', 'REDIS_URL=', 'redis-cluster-keeper')
  await expect(alone).rejects.toThrow(`The profile redis-cluster wants REDIS_URL=${CLUSTER_URL}`)
})

it('spreads its data over three masters with a replica each', async () => {
  await talksEverywhere(stack)
  // Thirty conversations and thirty inboxes: that a master holds none of them happens once in 10^10 times.
  const [one] = [...(await stack.peopleEverywhere()).values()].flat()
  for (let reader = 0; reader < 30; reader++) await one!.send(`user:reader-${reader}`, 'hello')
  const nodes = (await asks('cluster', 'nodes')).trim().split('\n')
  expect(nodes.filter((node) => /master - .* connected \d/.test(node))).toHaveLength(3)
  expect(nodes.filter((node) => node.includes('slave'))).toHaveLength(3)
  for (const name of ['redis-node-1', 'redis-node-2', 'redis-node-3']) {
    const size = await stack.compose('exec', '-T', name, 'redis-cli', 'dbsize')
    expect(Number(size)).toBeGreaterThan(0)
  }
  const idle = await stack.compose('exec', '-T', 'redis', 'redis-cli', 'dbsize')
  expect(Number(idle)).toBe(0)
})

it('goes on by itself when a master dies', () => survives(stack, () => stack.compose('kill', 'redis-node-1')))
