/**
 * Who follows and who blocks whom, in Redis. The truth lies with the pair, where a send is judged by it; the lists
 * of a user are for showing. The pair comes first: a call that broke off in between is repeated as it is.
 */
import { dmOf, type UserId } from '@starling/protocol/ids'
import type { ContactPort, Tie } from '../services/account-ports.ts'
import { type Keys, userOwner } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault } from './script.ts'

const LISTS = { follow: 'contacts', block: 'blocks' } as const satisfies Record<Tie, string>

export class ContactStore implements ContactPort {
  readonly #redis: RedisClient
  readonly #keys: Keys

  constructor(deps: { redis: RedisClient; keys: Keys }) {
    this.#redis = deps.redis
    this.#keys = deps.keys
  }

  async tie(user: UserId, tie: Tie, other: UserId): Promise<void> {
    await this.#run(async () => {
      // With it ends that the other is free to write, until a send has looked again.
      await this.#redis.hset(this.#pair(user, other), { [`${tie}:${user}`]: '1', [`free:${other}`]: '' })
      await this.#redis.zadd(this.#list(user, tie), 0, other)
    })
  }

  async untie(user: UserId, tie: Tie, other: UserId): Promise<void> {
    await this.#run(async () => {
      await this.#redis.hdel(this.#pair(user, other), `${tie}:${user}`, `free:${other}`)
      await this.#redis.zrem(this.#list(user, tie), other)
    })
  }

  async list(user: UserId, tie: Tie): Promise<UserId[]> {
    return (await this.#run(() => this.#redis.zrange(this.#list(user, tie), '0', '-1'))) as UserId[]
  }

  #pair(user: UserId, other: UserId): string {
    return `${this.#keys.owner(dmOf(user, other))}state`
  }

  #list(user: UserId, tie: Tie): string {
    return `${this.#keys.owner(userOwner(user))}${LISTS[tie]}`
  }

  async #run<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command()
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}
