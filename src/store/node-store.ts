/**
 * The nodes of the cluster in Redis: leases, who reaps whom, what /stats says, and the number of buckets.
 */
import type { NodeId } from '@starling/protocol/ids'
import { Cluster } from 'ioredis'
import { DEFAULT_BUCKETS, Keys } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault, type Scripts } from './script.ts'
import { claimNode } from './scripts/cluster/claim.ts'
import { type Renewed, renewLease } from './scripts/cluster/renew.ts'

/** What /stats says of a node. */
export interface NodeInfo {
  node: string
  connections: number
  /** Unix ms. */
  since: number
}

/** How long a reaper has before another takes over, ms. */
const REAP_TIME_MS = 10_000

export class NodeStore {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys

  constructor(deps: { redis: RedisClient; scripts: Scripts; keys: Keys }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
  }

  /** Keeps a node's lease for `leaseMs` from now; `first` takes one. @returns the nodes whose lease has lapsed */
  renew(node: NodeId, leaseMs: number, first: boolean, info: NodeInfo): Promise<Renewed> {
    return this.#scripts.run(renewLease, this.#clusterKeys(), {
      node,
      lease: leaseMs,
      first: first ? 1 : 0,
      about: JSON.stringify(info),
    })
  }

  /** @returns whether the reaping of a dead node is now this caller's */
  async claim(node: NodeId): Promise<boolean> {
    return (await this.#scripts.run(claimNode, this.#clusterKeys(), { node, span: REAP_TIME_MS })).ours
  }

  /** Notes that a dead node has been taken out of everything. */
  async reaped(node: NodeId): Promise<void> {
    await this.#run((redis) => redis.zrem(this.#clusterKeys().reaping, node))
  }

  /** Leaves what was noted under a lost id to the reapers: whoever took the lease may not have been one. */
  async abandon(node: NodeId): Promise<void> {
    await this.#run((redis) => redis.zadd(this.#clusterKeys().reaping, 'NX', 0, node))
  }

  /** Gives a lease up: there is nothing left to take out. */
  async giveUp(node: NodeId): Promise<void> {
    const { nodes, info } = this.#clusterKeys()
    await this.#run((redis) => Promise.all([redis.zrem(nodes, node), redis.hdel(info, node)]))
  }

  async all(): Promise<NodeInfo[]> {
    const values = await this.#run((redis) => redis.hvals(this.#clusterKeys().info))
    return values.map((value) => JSON.parse(value) as NodeInfo)
  }

  #clusterKeys() {
    return {
      nodes: this.#keys.cluster('nodes'),
      reaping: this.#keys.cluster('reaping'),
      info: this.#keys.cluster('info'),
    }
  }

  async #run<T>(command: (redis: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await command(this.#redis)
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}

/** Reads the deployment's number of buckets, or fixes it at its first boot. */
export async function openKeys(redis: RedisClient, prefix: string): Promise<Keys> {
  const key = new Keys(prefix, DEFAULT_BUCKETS, 1).cluster('buckets')
  await redis.setnx(key, DEFAULT_BUCKETS)
  const buckets = Number(await redis.get(key))
  return new Keys(prefix, buckets, redis instanceof Cluster ? buckets : 1)
}
