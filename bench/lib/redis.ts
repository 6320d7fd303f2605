/**
 * A Redis of the bench's own, set as the shipped configuration: AOF, fsync every second, no snapshots, keys that end freed
 * beside the work.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedisCluster } from '../../test/support/redis-cluster.ts'
import { freePort } from './free-port.ts'
import { end, own, ownFolder, removeFolder } from './owned.ts'

const START_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 20

export interface Store {
  /** As `REDIS_URL` takes it. */
  readonly url: string
  readonly pids: readonly number[]
  close(): Promise<void>
}

/** @param masters one: a Redis alone; more: a cluster of them */
export async function startStore(masters: number): Promise<Store> {
  if (masters === 1) return startRedis()
  const { url, nodes, stop } = await startRedisCluster({ masters })
  return { url, pids: nodes.map(({ pid }) => pid), close: stop }
}

/** Starts a Redis and waits until it answers. @throws Error with what kept it */
async function startRedis(): Promise<Store> {
  const port = await freePort()
  const folder = ownFolder('redis')
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'lazyfree-lazy-expire': 'yes',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = own(spawn('redis-server', args, { stdio: 'ignore' }))
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([fault]) => Promise.reject(fault))])
  await answers(child, port)
  return {
    url: `redis://127.0.0.1:${port}`,
    pids: [child.pid!],
    async close() {
      await end(child)
      removeFolder(folder)
    },
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
