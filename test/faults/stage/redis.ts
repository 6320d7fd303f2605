/** A Redis of a fault's own, as a process whose signals, settings and clock are in the fault's hands. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import {
  findRedisServer,
  type Launch,
  type RedisServer,
  startRedisServer,
} from '../../../scripts/lib/redis-server.ts'

/** What a trial needs of its Redis, whatever it consists of. */
export interface RedisUnderTest {
  /** As REDIS_URL takes it. */
  url: string
  /** Ends it, and its data. May be called twice. */
  stop(): Promise<void>
}

export interface SingleRedisOptions {
  settings?: Record<string, string | string[]>
  /** Variables of its process, e.g. a clock to preload. */
  env?: Record<string, string>
}

const SETTINGS = { appendonly: 'yes', appendfsync: 'everysec', save: '', 'maxmemory-policy': 'noeviction' }

/** @returns the launch of a redis-server @throws Error where none is installed */
function launchRedis(env: Record<string, string> = {}): Launch {
  const launch = findRedisServer()
  if (!launch) throw new Error('no redis-server (7.0 or later) here: install it')
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return assignments.length === 0
    ? launch
    : (settings, port) => ['env', ...assignments, ...launch(settings, port)]
}

export class SingleRedis implements RedisUnderTest {
  readonly url: string
  readonly port: number
  readonly dir: string
  readonly #settings: Record<string, string | string[]>
  readonly #launch: Launch
  #server: RedisServer

  static async start({ settings = {}, env = {} }: SingleRedisOptions = {}): Promise<SingleRedis> {
    const dir = mkdtempSync(join(tmpdir(), 'starling-faults-redis-'))
    const all = { ...SETTINGS, dir, ...settings }
    const launch = launchRedis(env)
    return new SingleRedis(await startRedisServer(launch, all), all, launch, dir)
  }

  private constructor(
    server: RedisServer,
    settings: Record<string, string | string[]>,
    launch: Launch,
    dir: string,
  ) {
    this.#server = server
    this.#settings = settings
    this.#launch = launch
    this.dir = dir
    this.port = server.port
    this.url = server.url
  }

  signal(signal: NodeJS.Signals): void {
    this.#server.child.process.kill(signal)
  }

  /** Ends it in good order; what it has answered is in its file. */
  down(): Promise<void> {
    return this.#server.stop()
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#server.child.ended
  }

  /** Starts it again at its address, with what its file has. */
  async up(): Promise<void> {
    this.#server = await startRedisServer(this.#launch, this.#settings, this.port)
  }

  /** Says something to it, over a connection for this alone. */
  say<Answer>(talk: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    return sayTo(this.port, talk)
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT')
    await this.#server.stop()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

export async function sayTo<Answer>(port: number, talk: (redis: Redis) => Promise<Answer>): Promise<Answer> {
  const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1 })
  redis.on('error', () => {})
  try {
    return await talk(redis)
  } finally {
    redis.disconnect()
  }
}
