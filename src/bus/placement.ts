/**
 * Where each bucket's channels have to be subscribed: on the one master, or on the cluster's master of its slot.
 */
import calculateSlot from 'cluster-key-slot'
import type { Redis } from 'ioredis'
import type { RedisTarget } from '../settings.ts'
import type { Keys } from '../store/keys.ts'
import { createClusterNodeClient, createFeedClient, type RedisClient } from '../store/redis.ts'

export interface Placement {
  /** How often to look again though nothing seems to have changed, ms; undefined where a closed line says it all. */
  readonly everyMs: number | undefined
  /** @returns for each bucket the address of its master; rejects while nobody knows */
  locate(): Promise<readonly string[]>
  /** Opens a connection that does not come back by itself. */
  open(address: string): Redis
}

type SlotRange = [first: number, last: number, master: [host: string, port: number], ...replicas: unknown[]]

/** @param commands the client for commands, which a cluster's layout is asked of */
export function createPlacement(target: RedisTarget, keys: Keys, commands: RedisClient): Placement {
  if (target.kind !== 'cluster') {
    const everywhere = Array.from({ length: keys.feeds }, () => 'master')
    return { everyMs: undefined, locate: async () => everywhere, open: () => createFeedClient(target) }
  }
  const slots = Array.from({ length: keys.feeds }, (_, bucket) => calculateSlot(keys.bucket(bucket)))
  return {
    everyMs: 500,
    async locate() {
      const ranges = (await commands.call('CLUSTER', 'SLOTS')) as SlotRange[]
      return slots.map((slot) => {
        const range = ranges.find(([first, last]) => first <= slot && slot <= last)
        return range ? `${range[2][0]}:${range[2][1]}` : ''
      })
    },
    open(address) {
      const colon = address.lastIndexOf(':')
      return createClusterNodeClient(target, {
        host: address.slice(0, colon),
        port: Number(address.slice(colon + 1)),
      })
    },
  }
}
