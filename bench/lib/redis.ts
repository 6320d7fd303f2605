/**
 * A Redis of the bench's own, set as the shipped one.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../scripts/lib/ports.ts'
import { REDIS_SETTINGS } from '../../scripts/lib/redis-settings.ts'
import { startRedisCluster } from '../../test/support/redis-cluster.ts'
import { end, own, ownFolder, removeFolder } from './owned.ts'

/** As docs/deployment.md has it for a machine that Redis shares: before what else runs, and the children that write files beside it. */
const FIRST = ['chrt', '--reset-on-fork', '--other', '0', 'nice', '-n', '-10']
const START_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 20
const LOOK_AT_REWRITE_MS = 100

export interface Store {
  /** As `REDIS_URL` takes it. */
  readonly url: string
  readonly pids: readonly number[]
  /** Has each Redis rewrite its AOF now, and by itself no more. Resolves at the end of that. */
  rewrite(): Promise<void>
  close(): Promise<void>
}

/**
 * @param masters one: a Redis alone; more: a cluster of them
 * @param isFirst has a Redis alone go before what else runs, where this process may
 */
export async function startStore(masters: number, isFirst = false): Promise<Store> {
  if (masters === 1) return startRedis(isFirst ? FIRST : [])
  const { url, nodes, stop } = await startRedisCluster({ masters, settings: REDIS_SETTINGS })
  return {
    url,
    pids: nodes.map(({ pid }) => pid),
    rewrite: () => rewriteAll(nodes.map(({ port }) => port)),
    close: stop,
  }
}

/** Starts a Redis and waits until it answers. @throws Error with what kept it */
async function startRedis(launcher: readonly string[]): Promise<Store> {
  const port = await freePort()
  const folder = ownFolder('redis')
  const settings = { ...REDIS_SETTINGS, port: String(port), bind: '127.0.0.1', dir: folder }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...[value].flat()])
  const [command = '', ...words] = [...launcher, 'redis-server', ...args]
  const child = own(spawn(command, words, { stdio: 'ignore' }))
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([fault]) => Promise.reject(fault))])
  await answers(child, port)
  return {
    url: `redis://127.0.0.1:${port}`,
    pids: [child.pid!],
    rewrite: () => rewriteAll([port]),
    async close() {
      await end(child)
      removeFolder(folder)
    },
  }
}

async function rewriteAll(ports: readonly number[]): Promise<void> {
  await Promise.all(ports.map(rewrite))
}

async function rewrite(port: number): Promise<void> {
  const redis = new Redis(port)
  try {
    const isAtWork = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'))
    await redis.config('SET', 'auto-aof-rewrite-percentage', '0')
    // One that is under way has begun with less than there is now.
    while (await isAtWork()) await sleep(LOOK_AT_REWRITE_MS)
    await redis.bgrewriteaof()
    while (await isAtWork()) await sleep(LOOK_AT_REWRITE_MS)
  } finally {
    redis.disconnect()
  }
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS
  while (!(await ping(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`)
    if (Date.now() > deadline) throw new Error('redis-server does not answer')
    await sleep(LOOK_AGAIN_MS)
  }
}

async function ping(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write('PING\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString().startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** @returns the version of the Redis that is measured with */
export function redisVersion(): string {
  return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
}
