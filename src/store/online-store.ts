/**
 * The online set in Redis, a part in each bucket, and the taking out of dead nodes.
 */
import type { NodeId, UserId } from '@starling/protocol/ids'
import type { OnlinePort } from '../services/ports.ts'
import { type Keys, userOwner } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault, type Scripts } from './script.ts'
import { type Reaped, reapBucket } from './scripts/node/reap.ts'

/** Owners that one call of the reaper's script takes on, so that it doesn't hold Redis up. */
const REAP_COUNT = 100

export class OnlineStore implements OnlinePort {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys

  constructor(deps: { redis: RedisClient; scripts: Scripts; keys: Keys }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
  }

  get buckets(): number {
    return this.#keys.buckets
  }

  async among(users: readonly UserId[]): Promise<Set<UserId>> {
    const scores = await this.#read(() =>
      Promise.all(
        users.map((user) =>
          this.#redis.zscore(this.#keys.online(this.#keys.bucketOf(userOwner(user))), user),
        ),
      ),
    )
    return new Set(users.filter((_user, index) => scores[index] !== null))
  }

  async total(): Promise<number> {
    return (await this.counts()).reduce((sum, count) => sum + count, 0)
  }

  /** @returns how many are online in each bucket */
  async counts(): Promise<number[]> {
    return this.#read(() =>
      Promise.all(
        Array.from({ length: this.buckets }, (_, bucket) => this.#redis.zcard(this.#keys.online(bucket))),
      ),
    )
  }

  async page(bucket: number, after: string, count: number): Promise<UserId[]> {
    const low = after === '' ? '-' : `(${after}`
    const users = await this.#read(() =>
      this.#redis.zrange(this.#keys.online(bucket), low, '+', 'BYLEX', 'LIMIT', 0, count),
    )
    return users as UserId[]
  }

  /** Takes a dead node out of some of a bucket's owners. @returns what is left, and who went offline */
  reap(bucket: number, node: NodeId): Promise<Reaped> {
    return this.#scripts.run(
      reapBucket,
      {
        held: this.#keys.held(bucket, node),
        untold: this.#keys.untold(bucket, node),
        online: this.#keys.online(bucket),
      },
      { node, bucket: this.#keys.bucket(bucket), to: this.#keys.toInBucket(bucket), count: REAP_COUNT },
    )
  }

  async #read<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command()
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}
