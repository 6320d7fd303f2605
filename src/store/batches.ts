/**
 * The hot scripts' way to Redis: jobs that come in while a call is under way travel together in the next one. So a busy
 * gateway pays for one command, one reply and one publish per node where it would have paid for each message.
 *
 * On a single Redis all jobs of a script share one line; in a cluster there is a line per master. A line is first in,
 * first out, and has at most one call under way: what one connection sent first is stored first. What only reads goes
 * out at once instead, in as many calls as it takes, and once for all who ask the same before it goes.
 */
import { createHash } from 'node:crypto'
import { ProtocolError } from '@starling/protocol/errors'
import calculateSlot from 'cluster-key-slot'
import { Cluster, ReplyError } from 'ioredis'
import { BatchCommand, type BatchScript, bulk, isUnknownScript } from './batch-command.ts'
import type { Durability } from './durability.ts'
import type { Keys } from './keys.ts'
import { type Job, Lines, type Place } from './lines.ts'
import type { RedisClient } from './redis.ts'
import { type BatchDefinition, followMove, redisFault } from './script.ts'

type Value = string | number

/** A batch script with what all its jobs have in common. */
export interface Batch<Field extends string, Result> {
  /**
   * Does one job, with others that lie on the same Redis.
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
  readonly #placeOf: (bucket: number) => Place

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
    this.#placeOf = placesOf(deps.redis, deps.keys)
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
    // In a cluster each job's channels are those of its own bucket.
    const given: Record<string, Value> = { ...args, to: this.reachesAll ? this.#keys.toInBucket(0) : '' }
    const shared = script.args.map((arg) => bulk(given[arg]!)).join('')
    /** What only reads and has not gone out yet, by its words. */
    const asked = new Map<string, Promise<Result>>()
    const lines = new Lines<Result>({
      placeOf: this.#placeOf,
      send: (jobs) => this.#send(known, { shared, isDurable: kind === 'durable' }, jobs),
      atOnce: kind === 'read',
      onTaken: (jobs) => {
        if (kind === 'read') for (const { words } of jobs) asked.delete(words)
      },
    })
    const add = (bucket: number, words: string) =>
      new Promise<Result>((resolve, reject) =>
        lines.add({ bucket: this.reachesAll ? 0 : bucket, words, resolve, reject }),
      )
    const read = (bucket: number, words: string) => {
      let answer = asked.get(words)
      if (!answer) {
        answer = add(bucket, words)
        asked.set(words, answer)
      }
      return answer
    }
    return {
      run: (bucket, job) => {
        const words = script.job.map((field) => bulk(job[field])).join('')
        return kind === 'read' ? read(bucket, words) : add(bucket, words)
      },
    }
  }

  /** @returns why nobody was reached, if so */
  async #send<Result>(
    script: BatchDefinition<string, string, Result> & BatchScript,
    { shared, isDurable }: { shared: string; isDurable: boolean },
    jobs: readonly Job<Result>[],
  ): Promise<ProtocolError | undefined> {
    const since = performance.now()
    const words = `${shared}${jobs.map((job) => job.words).join('')}`
    const count = script.args.length + jobs.length * script.job.length
    // Any bucket of theirs would do: they lie on one master.
    const here = `${this.#keys.bucket(jobs[0]!.bucket)}here`
    let isReached = false
    try {
      const replies = await this.#evaluate(script, this.reachesAll ? undefined : here, { count, words })
      isReached = true
      if (isDurable) await this.#durability.confirm(here)
      this.#answer(script, jobs, replies)
    } catch (fault) {
      followMove(this.#redis, fault)
      const told = redisFault(fault)
      for (const job of jobs) job.reject(told)
      isReached ||= fault instanceof ReplyError
      if (!isReached && told instanceof ProtocolError) return told
    } finally {
      this.#onDone(script.name, performance.now() - since)
    }
    return undefined
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

/** @returns where each bucket is served */
function placesOf(redis: RedisClient, keys: Keys): (bucket: number) => Place {
  if (!(redis instanceof Cluster)) return () => 'here'
  const slots = Array.from({ length: keys.buckets }, (_, bucket) => calculateSlot(keys.bucket(bucket)))
  return (bucket) => redis.slots[slots[bucket]!]?.[0] ?? bucket
}

/** What a job is told whose bucket is on its way from one master to another: nothing of it is done. */
function awayFrom(script: string, why: string): ProtocolError {
  const cause = new Error(`${script}: ${why}`)
  return new ProtocolError('unavailable', 'a part of the store is being moved', { retryIn: 1000, cause })
}
