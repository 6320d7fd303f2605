/**
 * A look at Redis before the gateway serves: refuses one that isn't there or on which a promise would be empty, warns in
 * words of settings that make one weak. What it isn't allowed to read it passes over.
 */
import { Cluster, type Redis } from 'ioredis'
import { BootError } from '../lib/boot-error.ts'
import type { Log } from '../lib/log.ts'
import type { RedisClient } from '../store/redis.ts'

/** A feed may have to take in this many bytes at once without being cut off. */
const FEED_BUFFER_BYTES = 32 * 1024 * 1024

/** @throws BootError where there is none */
export async function reachRedis(redis: RedisClient): Promise<void> {
  try {
    await redis.connect()
  } catch (fault) {
    redis.disconnect()
    throw new BootError(`cannot reach Redis (${(fault as Error).message}): is REDIS_URL right, and is it up?`)
  }
}

/** @throws BootError where it can't keep what is promised */
export async function checkRedis(
  redis: RedisClient,
  durability: 'async' | 'replica',
  log: Log,
): Promise<void> {
  const node = redis instanceof Cluster ? redis.nodes('master')[0] : redis
  if (!node) return
  const info = await node.info()
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const isValkey = field('server_name') === 'valkey'
  const version = isValkey ? field('valkey_version') : field('redis_version')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (isValkey ? major < 7 || (major === 7 && minor < 2) : major < 7) {
    throw new BootError(
      `Redis ${version} is too old: Starling needs Redis 7.0 or Valkey 7.2, for sharded pub/sub`,
    )
  }
  if (durability === 'replica' && field('connected_slaves') === '0') {
    throw new BootError(
      'DURABILITY is replica, but this Redis has no replica: no message could ever be acked',
    )
  }
  const config = await readConfig(node)
  if (!config) return
  if ((config.get('maxmemory-policy') ?? 'noeviction') !== 'noeviction') {
    log.warn(
      'redis: maxmemory-policy is not noeviction: under memory pressure it would drop messages that were acked',
    )
  }
  if (config.get('appendonly') === 'no') {
    log.warn('redis: appendonly is no: a restart of Redis loses what was acked since its last snapshot')
  }
  const limit = /pubsub (\d+)/.exec(config.get('client-output-buffer-limit') ?? '')?.[1]
  if (limit !== undefined && limit !== '0' && Number(limit) < FEED_BUFFER_BYTES) {
    log.warn('redis: client-output-buffer-limit for pubsub is low: a burst can cut a gateway’s feed off')
  }
}

async function readConfig(node: Redis): Promise<Map<string, string> | undefined> {
  try {
    const names = ['maxmemory-policy', 'appendonly', 'client-output-buffer-limit']
    const replies = await Promise.all(
      names.map((name) => node.call('CONFIG', 'GET', name) as Promise<string[]>),
    )
    return new Map(replies.map(([name, value]) => [name ?? '', value ?? '']))
  } catch {
    return undefined // managed services forbid it
  }
}
