/**
 * A Redis server of our own as a child process: found on the PATH (redis-server or valkey-server), started on a free
 * port of loopback, waited for, stopped. Whether and where to get one otherwise is redis.ts' business.
 */
import { spawnSync } from 'node:child_process'
import { type Child, startChild, stopChild } from './children.ts'
import { freePort } from './ports.ts'
import { UserError } from './user-error.ts'

/** Redis and Valkey count on alike: sharded pub/sub and `#!lua` flags came with 7.0. */
const LOWEST_MAJOR = 7

/** It writes its append-only file to disk as it goes, so ending takes no longer than this, ms. */
const STOP_MS = 5_000

/** Between looking for a free port and listening there somebody else may take it: so often we try another. */
const TRIES = 5

export interface RedisServer {
  port: number
  url: string
  /** The server's process; the Docker client's where it runs in a container. */
  child: Child
  /** Ends it in good order: what it has answered is on disk. May be called twice. */
  stop(): Promise<void>
}

/** The command line that runs a server with these settings on this port of loopback. */
export type Launch = (settings: string[], port: number) => [command: string, ...args: string[]]

/** The launch of a server that is installed here and new enough, if there is one. */
export function findRedisServer(): Launch | undefined {
  for (const command of ['redis-server', 'valkey-server']) {
    const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
    const major = Number(/\bv=(\d+)\./.exec(stdout ?? '')?.[1] ?? 0)
    if (major < LOWEST_MAJOR) continue
    return (settings, port) => [command, '--port', String(port), '--bind', '127.0.0.1', ...settings]
  }
  return undefined
}

/**
 * Starts a server and waits until it takes commands, its data loaded. `settings` are those of redis.conf; several words
 * in one are an array. Without a `port`: a free one.
 * @throws UserError with the server's last words when it ends instead
 */
export async function startRedisServer(
  launch: Launch,
  settings: Record<string, string | string[]>,
  givenPort?: number,
): Promise<RedisServer> {
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...[value].flat()])
  for (let tries = 1; ; tries++) {
    const port = givenPort ?? (await freePort())
    const ready = Promise.withResolvers<true>()
    const onLine = (line: string) => {
      if (line.includes('Ready to accept connections')) ready.resolve(true)
    }
    const [command, ...args] = launch(words, port)
    const child = startChild(command, args, { onLine })
    if (await Promise.race([ready.promise, child.ended.then(() => false)])) {
      const stop = () => stopChild(child, STOP_MS)
      return { port, url: `redis://127.0.0.1:${port}`, child, stop }
    }
    const lastWords = child.lastWords.join('\n')
    if (givenPort === undefined && tries < TRIES && /address already in use/i.test(lastWords)) continue
    throw new UserError(`${command} did not start:\n${lastWords}`)
  }
}
