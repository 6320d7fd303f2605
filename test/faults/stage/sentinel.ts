/** One master, two replicas, three sentinels. What the replicas have not got can be made sure of before the master dies. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild, stopChild } from '../../../scripts/lib/children.ts'
import { freePort } from '../../../scripts/lib/ports.ts'
import { type RedisUnderTest, SingleRedis, sayTo } from './redis.ts'

const NAME = 'mymaster'
const SENTINELS = 3
const REPLICAS = 2
const QUORUM = 2
/** A master that is silent for so long is down, ms. */
const DOWN_MS = 2_000
const SETTLE_MS = 60_000
const LOOK_MS = 100
const STOP_MS = 2_000

export class SentinelRedis implements RedisUnderTest {
  readonly url: string
  readonly #master: SingleRedis
  readonly #replicas: SingleRedis[]
  readonly #ports: number[]
  readonly #sentinels: Child[]
  readonly #dir: string

  static async start(): Promise<SentinelRedis> {
    const quick = { 'repl-diskless-sync-delay': '0', 'repl-timeout': '5' }
    const master = await SingleRedis.start({ settings: quick })
    const replicas: SingleRedis[] = []
    for (let n = 0; n < REPLICAS; n++) {
      replicas.push(
        await SingleRedis.start({ settings: { ...quick, replicaof: ['127.0.0.1', String(master.port)] } }),
      )
    }
    const dir = mkdtempSync(join(tmpdir(), 'starling-faults-sentinel-'))
    const [ports, sentinels]: [number[], Child[]] = [[], []]
    for (let n = 0; n < SENTINELS; n++) {
      const port = await freePort()
      const file = join(dir, `${n}.conf`)
      writeFileSync(
        file,
        [
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${dir}`,
          `sentinel monitor ${NAME} 127.0.0.1 ${master.port} ${QUORUM}`,
          `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
          `sentinel failover-timeout ${NAME} 10000`,
          '',
        ].join('\n'),
      )
      ports.push(port)
      sentinels.push(startChild('redis-server', [file, '--sentinel']))
    }
    const redis = new SentinelRedis({ master, replicas, ports, sentinels, dir })
    await redis.#until(async () => (await redis.#known()) === 'whole', 'sentinels that know one another')
    return redis
  }

  private constructor(parts: {
    master: SingleRedis
    replicas: SingleRedis[]
    ports: number[]
    sentinels: Child[]
    dir: string
  }) {
    this.#master = parts.master
    this.#replicas = parts.replicas
    this.#ports = parts.ports
    this.#sentinels = parts.sentinels
    this.#dir = parts.dir
    this.url = `redis+sentinel://${parts.ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`
  }

  /** Kills the master when its replicas have heard nothing for a while. Resolves when there is another. */
  async killMaster(unheardMs: number): Promise<void> {
    // Frozen, so that they don't come back at once; cut off, so that nothing waits for them in a socket.
    for (const replica of this.#replicas) replica.signal('SIGSTOP')
    await this.#master.say((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'replica'))
    await sleep(unheardMs)
    await this.#master.kill()
    for (const replica of this.#replicas) replica.signal('SIGCONT')
    const old = this.#master.port
    await this.#until(async () => (await this.#masterPort()) !== old, 'another master')
    const port = await this.#masterPort()
    await this.#until(
      async () => (await sayTo(port, (redis) => redis.role()))[0] === 'master',
      'its promotion',
    )
  }

  /** The old master comes back, and is made a replica. */
  async oldMasterBack(): Promise<void> {
    await this.#master.up()
    await this.#until(
      async () => (await this.#master.say((redis) => redis.role()))[0] === 'slave',
      'the old master as a replica',
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sentinels.map((child) => stopChild(child, STOP_MS)))
    await Promise.all([this.#master, ...this.#replicas].map((redis) => redis.stop()))
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** Whether every sentinel knows the others and the replicas. */
  async #known(): Promise<'whole' | 'partly'> {
    const views = await Promise.all(
      this.#ports.map((port) =>
        sayTo(port, async (redis) => {
          const flat = (await redis.call('SENTINEL', 'MASTER', NAME)) as string[]
          const field = (name: string) => Number(flat[flat.indexOf(name) + 1])
          return field('num-other-sentinels') === SENTINELS - 1 && field('num-slaves') === REPLICAS
        }),
      ),
    )
    return views.every(Boolean) ? 'whole' : 'partly'
  }

  async #masterPort(): Promise<number> {
    const [, port] = (await sayTo(this.#ports[0]!, (redis) =>
      redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME),
    )) as [string, string]
    return Number(port)
  }

  async #until(holds: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + SETTLE_MS
    while (!(await holds().catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`no ${what} within ${SETTLE_MS / 1e3} s`)
      await sleep(LOOK_MS)
    }
  }
}
