/** The profile redis-cluster: gateways on six Redis nodes, one of which dies. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { survives, talksEverywhere } from './suites/store.ts'
import { Stack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await Stack.up({ profile: 'redis-cluster', redisUrl: 'redis+cluster://redis-cluster' })
  await stack.balanced(3)
})
afterAll(() => stack?.down())

const asks = (...words: string[]) => stack.compose('exec', '-T', 'redis-node-2', 'redis-cli', ...words)

it('spreads its data over three masters with a replica each', async () => {
  await talksEverywhere(stack)
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
