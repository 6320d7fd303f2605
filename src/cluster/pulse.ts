/**
 * Whether Redis answers. A Redis that hangs, or a cut line, gives no error: a ping that isn't answered in time closes
 * the line, so that what waits on it fails now and its senders are told.
 */
import { Cluster, type Redis } from 'ioredis'
import type { Log } from '../lib/log.ts'
import type { RedisClient } from '../store/redis.ts'

const EVERY_MS = 500
/** How long a ping may take, ms. */
const LIMIT_MS = 2_000

export class Pulse {
  readonly #redis: RedisClient
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  /** Lines whose ping is under way, since when. */
  readonly #asked = new Map<Redis, number>()
  /** When each line answered last. */
  readonly #answered = new WeakMap<Redis, number>()

  constructor(deps: { redis: RedisClient; log: Log }) {
    this.#redis = deps.redis
    this.#log = deps.log
  }

  start(): void {
    this.#tick()
    this.#timer = setInterval(() => this.#tick(), EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Whether every line to Redis is up and has answered lately: a command sent now has somebody to go to. */
  get beats(): boolean {
    const since = performance.now() - LIMIT_MS - EVERY_MS
    const lines = this.#lines()
    return (
      lines.length > 0 &&
      lines.every(
        (line) => line.status === 'ready' && (this.#answered.get(line) ?? Number.NEGATIVE_INFINITY) > since,
      )
    )
  }

  #lines(): Redis[] {
    return this.#redis instanceof Cluster ? this.#redis.nodes('master') : [this.#redis]
  }

  #tick(): void {
    const now = performance.now()
    const lines = this.#lines()
    for (const line of this.#asked.keys()) if (!lines.includes(line)) this.#asked.delete(line)
    for (const line of lines) {
      const since = this.#asked.get(line)
      if (since !== undefined) {
        if (now - since < LIMIT_MS) continue
        this.#asked.delete(line)
        this.#log.warn('redis: no answer; closing the line')
        line.disconnect(true)
        continue
      }
      // A cluster's line waits to be used first; the ping has it connect, and the next one is answered.
      if (line.status !== 'ready' && line.status !== 'wait') continue
      this.#asked.set(line, now)
      line.ping().then(
        () => {
          this.#asked.delete(line)
          this.#answered.set(line, performance.now())
        },
        () => this.#asked.delete(line),
      )
    }
  }
}
