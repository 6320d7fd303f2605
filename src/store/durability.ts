/**
 * What has to have happened before an ack: with `async` the write itself (and Redis' own AOF), with `replica`
 * also that one replica has it.
 */
import { ProtocolError } from '@starling/protocol/errors'
import calculateSlot from 'cluster-key-slot'
import { Cluster, type Redis } from 'ioredis'
import type { RedisClient } from './redis.ts'
import { redisFault } from './script.ts'

/** How long a replica may take, ms. */
const REPLICA_TIMEOUT_MS = 1_000

export interface Durability {
  /**
   * Resolves when what this client wrote to a key's slot so far counts as stored.
   * @throws ProtocolError `unavailable` where that isn't known
   */
  confirm(key: string): Promise<void>
}

const written: Durability = { confirm: async () => {} }

/** WAIT counts for the connection it is sent on: in a cluster, the one to the master of the key's slot. */
function connectionFor(redis: RedisClient, key: string): Redis | undefined {
  if (!(redis instanceof Cluster)) return redis
  const address = redis.slots[calculateSlot(key)]?.[0]
  return redis.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address)
}

export function createDurability(kind: 'async' | 'replica', redis: RedisClient): Durability {
  if (kind === 'async') return written
  return {
    async confirm(key) {
      let replicas = 0
      try {
        replicas = (await connectionFor(redis, key)?.wait(1, REPLICA_TIMEOUT_MS)) ?? 0
      } catch (fault) {
        throw redisFault(fault)
      }
      if (replicas < 1) throw new ProtocolError('unavailable', 'no replica has it yet', { retryIn: 1000 })
    },
  }
}
