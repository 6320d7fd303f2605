/**
 * The hot scripts' way to Redis: jobs that come in while a call is under way travel together in the next one. So a busy
 * gateway pays for one command, one reply and one publish per node where it would have paid for each message.
 *
 * On a single Redis all jobs of a script share one line; in a cluster there is a line per bucket. A line is first in,
 * first out, and has at most one call under way: what one connection sent first is stored first. What only reads goes
 * out at once instead, in as many calls as it takes.
 */
import { createHash } from 'node:crypto'
import { ProtocolError } from '@starling/protocol/errors'
import { Cluster } from 'ioredis'
import { BatchCommand, type BatchScript, bulk, isUnknownScript } from './batch-command.ts'
import type { Durability } from './durability.ts'
import type { Keys } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { type BatchDefinition, followMove, redisFault } from './script.ts'

/** Jobs in one call at most: a few ms of Redis. */
const MAX_JOBS = 256
/** Bytes in one call, about, from which on no further job is taken in. */
const MAX_BYTES = 256 * 1024

type Value = string | number

interface Job<Result> {
  /** What it passes, as it goes over the wire. */
  words: string
  resolve: (result: Result) => void
  reject: (fault: unknown) => void
}

/** A batch script with what all its jobs have in common. */
export interface Batch<Field extends string, Result> {
  /**
   * Does one job, with others that lie in the same bucket.
   * @throws ProtocolError `unavailable` where Redis can't be reached or can't write now: not known to be done
   */
  run(bucket: number, job: Record<Field, Value>): Promise<Result>
}

export type BatchOf<Definition> =
  Definition extends BatchDefinition<string, infer Field, infer Result> ? Batch<Field, Result> : never

export class Batches {
  /** Whether every key is in reach of every script. */
  readonly reachesAll: boolean
  readonly #redis: RedisClient
  readonly #keys: Keys
  readonly #durability: Durability
  readonly #onDone: (script: string, ms: number) => void

  /**
   * @param deps.durability what has to have happened before a job that writes durably counts as done
   * @param deps.onDone is told how long each round trip took, however it ended
   */
  constructor(deps: {
    redis: RedisClient
    keys: Keys
    durability: Durability
    onDone?: (script: string, ms: number) => void
  }) {
    this.#redis = deps.redis
    this.#keys = deps.keys
    this.#durability = deps.durability
    this.#onDone = deps.onDone ?? (() => {})
    this.reachesAll = !(deps.redis instanceof Cluster)
  }

  /**
   * @param args what all jobs have in common; the channels' prefix is added to it
   * @param kind `durable`: what is written has to be safe before a job counts as done; `read`: nothing is written, so
   *   calls need not wait for each other
   */
  open<Arg extends string, Field extends string, Result>(
    script: BatchDefinition<Arg, Field, Result>,
    args: Record<Exclude<Arg, 'to'>, Value>,
    kind?: 'durable' | 'read',
  ): Batch<Field, Result> {
    const known = { ...script, sha: createHash('sha1').update(script.lua).digest('hex') }
    const lines = new Map<number, Line<Result>>()
    const open = (place: number) => {
      const here = `${this.#keys.bucket(place)}here`
      const given: Record<string, Value> = { ...args, to: this.#keys.toInBucket(place) }
      const shared = script.args.map((arg) => bulk(given[arg]!)).join('')
      const line = new Line<Result>({
        send: (jobs) => this.#send(known, { here, shared, isDurable: kind === 'durable' }, jobs),
        atOnce: kind === 'read',
        onIdle: () => lines.delete(place),
      })
      lines.set(place, line)
      return line
    }
    return {
      run: (bucket, job) => {
        const place = this.reachesAll ? 0 : bucket
        const line = lines.get(place) ?? open(place)
        const words = script.job.map((field) => bulk(job[field])).join('')
        return new Promise((resolve, reject) => line.add({ words, resolve, reject }))
      },
    }
  }

  async #send<Result>(
    script: BatchDefinition<string, string, Result> & BatchScript,
    { here, shared, isDurable }: { here: string; shared: string; isDurable: boolean },
    jobs: readonly Job<Result>[],
  ): Promise<void> {
    const since = performance.now()
    const words = `${shared}${jobs.map((job) => job.words).join('')}`
    const count = script.args.length + jobs.length * script.job.length
    try {
      const replies = await this.#evaluate(script, this.reachesAll ? undefined : here, { count, words })
      if (isDurable) await this.#durability.confirm(here)
      this.#answer(script, jobs, replies)
    } catch (fault) {
      followMove(this.#redis, fault)
      const told = redisFault(fault)
      for (const job of jobs) job.reject(told)
    } finally {
      this.#onDone(script.name, performance.now() - since)
    }
  }

  #answer<Result>(
    script: BatchDefinition<string, string, Result>,
    jobs: readonly Job<Result>[],
    replies: readonly unknown[],
  ): void {
    let hasMoved = false
    for (const [index, job] of jobs.entries()) {
      const reply = replies[index]
      const tag = typeof reply === 'string' ? reply[0] : undefined
      if (tag === '!') job.reject(new Error(`${script.name}: ${(reply as string).slice(1)}`))
      else if (tag === '?') {
        hasMoved = true
        job.reject(awayFrom(script.name, (reply as string).slice(1)))
      } else job.resolve(script.decode(reply))
    }
    if (hasMoved && this.#redis instanceof Cluster) this.#redis.refreshSlotsCache()
  }

  async #evaluate(
    script: BatchScript,
    here: string | undefined,
    passed: { count: number; words: string },
  ): Promise<unknown[]> {
    const send = (how: 'evalsha' | 'eval') =>
      this.#redis.sendCommand(new BatchCommand(script, how, here, passed)) as Promise<unknown[]>
    try {
      return await send('evalsha')
    } catch (fault) {
      if (!isUnknownScript(fault)) throw fault
      return send('eval')
    }
  }
}

/** Jobs on their way to one place. */
class Line<Result> {
  readonly #send: (jobs: readonly Job<Result>[]) => Promise<void>
  readonly #atOnce: boolean
  readonly #onIdle: () => void
  #waiting: Job<Result>[] = []
  #isBusy = false

  /** @param deps.atOnce whether all that waits goes out at once, in as many calls as it takes */
  constructor(deps: {
    send: (jobs: readonly Job<Result>[]) => Promise<void>
    atOnce: boolean
    onIdle: () => void
  }) {
    this.#send = deps.send
    this.#atOnce = deps.atOnce
    this.#onIdle = deps.onIdle
  }

  add(job: Job<Result>): void {
    this.#waiting.push(job)
    if (this.#isBusy) return
    this.#isBusy = true
    // Sockets are read one after the other: what this tick brings goes together.
    setImmediate(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const calls = [this.#send(this.#take())]
      while (this.#atOnce && this.#waiting.length > 0) calls.push(this.#send(this.#take()))
      await Promise.all(calls)
    }
    this.#isBusy = false
    this.#onIdle()
  }

  #take(): Job<Result>[] {
    let count = 0
    let bytes = 0
    for (const { words } of this.#waiting) {
      if (count === MAX_JOBS || bytes > MAX_BYTES) break
      bytes += words.length
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}

/** What a job is told whose bucket is on its way from one master to another: nothing of it is done. */
function awayFrom(script: string, why: string): ProtocolError {
  const cause = new Error(`${script}: ${why}`)
  return new ProtocolError('unavailable', 'a part of the store is being moved', { retryIn: 1000, cause })
}
