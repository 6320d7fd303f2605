/** A Redis Cluster of three masters in place of the single Redis, for those who ask for `redisUrl`. */
import type { TestProject } from 'vitest/node'
import { startRedisCluster } from './redis-cluster.ts'

export default async function setup(project: TestProject) {
  const cluster = await startRedisCluster({ masters: 3 })
  project.provide('redisUrl', cluster.url)
  return () => cluster.stop()
}
