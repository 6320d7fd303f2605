/** Every store suite on a Redis Cluster of three masters: no script reaches for a key of another slot. */
import { describe } from 'vitest'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { storeSuites } from './suites/all.ts'

describe('on a Redis Cluster', () => storeSuites(() => startRedisCluster({ masters: 3 })))
