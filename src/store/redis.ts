/**
 * Connections to Redis: standalone, through sentinels, or a cluster. Commands fail fast while it is away:
 * nothing is queued, nothing is sent twice, so that no one is told "stored" or "not stored" by mistake.
 */
import { Cluster, Redis, type RedisOptions, ReplyError } from 'ioredis'
import type { Log } from '../lib/log.ts'
import type { RedisTarget } from '../settings.ts'

export type RedisClient = Redis | Cluster

const RECONNECT_MAX_MS = 1_000
const CONNECT_TIMEOUT_MS = 3_000
/** A feed that doesn't answer a subscription for so long is taken for a line that is cut without a word, ms. */
const SUBSCRIBE_TIMEOUT_MS = 5_000

const retryDelay = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 6), RECONNECT_MAX_MS)

/** What every connection of ours has in common. */
const common = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  lazyConnect: true,
} satisfies RedisOptions

/** What connections for subscriptions have in common: they do not come back by themselves. */
const feed = {
  retryStrategy: null,
  disableClientInfo: true,
  commandTimeout: SUBSCRIBE_TIMEOUT_MS,
} satisfies RedisOptions

/** @returns the options of a connection to where a target's (current) master is; undefined for a cluster */
function directOptions(target: Exclude<RedisTarget, { kind: 'cluster' }>) {
  const credentials = credentialsOf(target)
  if (target.kind === 'sentinel') {
    return {
      sentinels: target.sentinels,
      name: target.master,
      sentinelRetryStrategy: retryDelay,
      ...credentials,
    }
  }
  return {
    host: target.host,
    port: target.port,
    db: target.db,
    ...(target.tls && { tls: {} }),
    ...credentials,
  }
}

/**
 * Commands of one turn of the event loop go out as one write. (The library's own pipelines cost several times as much,
 * serve one after the other, and in a cluster whose slots move throw where nobody can catch it.)
 */
function gather(redis: Redis): Redis {
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    const line = redis.stream
    if (line?.writableCorked === 0) {
      line.cork()
      process.nextTick(() => line.uncork())
    }
    return send(command, stream)
  }
  return redis
}

/**
 * In a cluster the library sends again what fails because a line has closed. That is right for a command that still waited for
 * a node to be connected; one that was under way may have been done.
 */
function sendOnce(redis: Redis): Redis {
  const send = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    if (redis.status === 'ready') {
      const reject = command.reject.bind(command)
      command.reject = (fault) =>
        reject(
          fault instanceof ReplyError ? fault : new Error('no answer to what was sent', { cause: fault }),
        )
    }
    return send(command, stream)
  }
  return redis
}

/** Opens the client for commands. Errors are logged; callers see them as rejected commands. */
export function createCommandClient(target: RedisTarget, log: Log): RedisClient {
  const client =
    target.kind === 'cluster'
      ? createCluster(target)
      : gather(new Redis({ ...common, ...directOptions(target), retryStrategy: retryDelay }))
  client.on('error', (fault: Error) => log.warn({ fault: fault.message }, 'redis: connection fault'))
  return client
}

function createCluster(target: Extract<RedisTarget, { kind: 'cluster' }>): Cluster {
  const cluster = new Cluster(target.nodes, {
    redisOptions: { ...common, ...credentialsOf(target) },
    enableOfflineQueue: false,
    lazyConnect: true,
    clusterRetryStrategy: retryDelay,
    slotsRefreshInterval: 5_000,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
  })
  cluster.on('+node', (node: Redis) => gather(sendOnce(node)))
  return cluster
}

/** Opens a connection for subscriptions to where the target's master is; it does not come back by itself. */
export function createFeedClient(target: Exclude<RedisTarget, { kind: 'cluster' }>): Redis {
  return new Redis({ ...common, ...directOptions(target), ...feed })
}

/** Opens a connection to one node of a cluster; it does not come back by itself. */
export function createClusterNodeClient(
  target: Extract<RedisTarget, { kind: 'cluster' }>,
  node: { host: string; port: number },
): Redis {
  return new Redis({
    ...common,
    ...node,
    ...credentialsOf(target),
    ...feed,
  })
}

function credentialsOf(target: RedisTarget) {
  return {
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
  }
}
