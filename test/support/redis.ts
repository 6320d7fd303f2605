/**
 * A real Redis for tests: a container where a Docker engine answers, else a process, on a free port, with its data in a
 * folder that goes with it. Vitest starts one for a whole run (`inject('redisUrl')`; tests keep apart by key prefixes);
 * a test that breaks its Redis starts its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { TestProject } from 'vitest/node'
import { dockerAnswers, REDIS_IMAGE } from '../../scripts/lib/docker.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { findRedisServer, type RedisServer, startRedisServer } from '../../scripts/lib/redis-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string
  }
}

export interface TestRedis {
  url: string
  host: string
  port: number
  kind: 'container' | 'process'
  /** Ends it, and its data with it. May be called twice. */
  stop(): Promise<void>
  /** Ends it in good order; with `up` it comes back at the same address with what it had stored. */
  down(): Promise<void>
  up(): Promise<void>
  /** `down` and `up`. */
  restart(): Promise<void>
  /** Freezes it: connections stay, nothing is answered, until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
}

const settings = { appendonly: 'yes', appendfsync: 'everysec', save: '', 'maxmemory-policy': 'noeviction' }

export async function startRedis(): Promise<TestRedis> {
  const redis = await startSomewhere()
  return {
    ...redis,
    async restart() {
      await redis.down()
      await redis.up()
    },
  }
}

/** An engine that answers may still have no image and no way to get one. */
async function startSomewhere(): Promise<Omit<TestRedis, 'restart'>> {
  if (!dockerAnswers()) return startProcess()
  try {
    return await startContainer()
  } catch (fault) {
    console.warn(`Docker gives no ${REDIS_IMAGE} (${String(fault)}); the tests use a redis-server process.`)
    return startProcess()
  }
}

async function startProcess(): Promise<Omit<TestRedis, 'restart'>> {
  const launch = findRedisServer()
  if (!launch)
    throw new Error('No redis-server (7.0 or later) here: install it, or use `npm test`, which does so')
  const dir = mkdtempSync(join(tmpdir(), 'starling-redis-'))
  let server: RedisServer = await startRedisServer(launch, { ...settings, dir })
  const { port, url } = server
  return {
    url,
    host: '127.0.0.1',
    port,
    kind: 'process',
    async stop() {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
    down: () => server.stop(),
    async up() {
      server = await startRedisServer(launch, { ...settings, dir }, port)
    },
    pause: async () => void server.child.process.kill('SIGSTOP'),
    resume: async () => void server.child.process.kill('SIGCONT'),
  }
}

async function startContainer(): Promise<Omit<TestRedis, 'restart'>> {
  // Loaded only here: it is large, and needs an engine.
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers')
  // A port that is given, not Docker's choice: that one changes with a restart.
  const port = await freePort()
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const started = await new GenericContainer(REDIS_IMAGE)
    .withExposedPorts({ container: 6379, host: port })
    .withCommand(['redis-server', ...words])
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start()
  const { container } = await getContainerRuntimeClient()
  const handle = container.getById(started.getId())
  const host = started.getHost()
  const url = `redis://${host}:${port}`
  // Docker, unlike a signal, minds when there is nothing to resume.
  const resume = async () => {
    if ((await handle.inspect()).State.Paused) await handle.unpause()
  }
  let stopping: Promise<unknown> | undefined
  return {
    url,
    host,
    port,
    kind: 'container',
    stop() {
      stopping ??= resume().then(() => started.stop())
      return stopping.then(() => {})
    },
    down: async () => void (await handle.stop()),
    async up() {
      await handle.start()
      await answers(url)
    },
    pause: async () => void (await handle.pause()),
    resume,
  }
}

/** Waits until it takes commands; how long is for the test to limit. */
async function answers(url: string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  try {
    await redis.ping()
  } finally {
    redis.disconnect()
  }
}

/** Projects whose tests need nothing but themselves. */
const BARE = new Set(['unit', 'types'])

/** Vitest's global setup: one Redis for the run, where a project of it needs one. */
export default async function setup(run: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (run.vitest.projects.every(({ name }) => BARE.has(name))) return undefined
  const redis = await startRedis()
  run.provide('redisUrl', redis.url)
  return () => redis.stop()
}
