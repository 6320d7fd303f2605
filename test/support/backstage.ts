/**
 * What a cluster keeps in Redis, for tests that must set what no endpoint sets yet, or see that nothing was changed.
 */
import { Redis } from 'ioredis'
import { inject } from 'vitest'
import { DEFAULT_BUCKETS, Keys } from '../../src/store/keys.ts'
import type { Cluster } from './cluster.ts'

export type Role = 'owner' | 'admin' | 'member'

export class Backstage {
  readonly #redis = new Redis(inject('redisUrl'))
  readonly #keys: Keys

  constructor(cluster: Cluster) {
    this.#keys = new Keys(cluster.keyPrefix, DEFAULT_BUCKETS, 1)
  }

  /** Gives a member of a group a role, and mutes them where `mutedUntil` (Unix ms) is ahead. */
  async setMember(group: string, user: string, role: Role, mutedUntil = 0): Promise<void> {
    const key = `${this.#keys.owner(`group:${group}`)}members`
    const [, joined] = (await this.#redis.hget(key, user))?.split(' ') ?? []
    if (joined === undefined) throw new Error(`${user} is no member of ${group}`)
    await this.#redis.hset(key, user, `${role} ${joined} ${mutedUntil}`)
  }

  /** @returns all that is kept of an owner, such as `group:<id>`, as one text to compare */
  async snapshot(owner: string): Promise<string> {
    const own = this.#keys.owner(owner)
    const [state, members, reads, log] = await Promise.all([
      this.#redis.hgetall(`${own}state`),
      this.#redis.hgetall(`${own}members`),
      this.#redis.hgetall(`${own}reads`),
      this.#redis.xlen(`${own}log`),
    ])
    const sorted = (hash: Record<string, string>) => Object.entries(hash).toSorted()
    return JSON.stringify([sorted(state), sorted(members), sorted(reads), log])
  }

  close(): void {
    this.#redis.disconnect()
  }
}
