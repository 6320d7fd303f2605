/**
 * By what people are found: the starts of their ids and names, one sorted set for each first letter, so that a
 * search asks one key. The truth lies in the profiles; an entry is a hint, written after them, and whoever reads
 * it looks whether it still holds.
 */
import type { UserId } from '@starling/protocol/ids'
import type { Keys } from './keys.ts'
import type { RedisClient } from './redis.ts'

/** Words of ids and names alike: the same for all ways to write a letter. */
export const wordOf = (text: string): string => text.normalize('NFKC').toLowerCase()

export interface Hint {
  word: string
  user: UserId
}

const memberOf = ({ word, user }: Hint): string => `${word}\0${user}`

/** Ids have no NUL, so the last one is ours. */
function hintOf(member: string): Hint {
  const end = member.lastIndexOf('\0')
  return { word: member.slice(0, end), user: member.slice(end + 1) as UserId }
}

export class PeopleIndex {
  readonly #redis: RedisClient
  readonly #keys: Keys

  constructor(deps: { redis: RedisClient; keys: Keys }) {
    this.#redis = deps.redis
    this.#keys = deps.keys
  }

  async add(hints: readonly Hint[]): Promise<void> {
    await Promise.all(hints.map((hint) => this.#redis.zadd(this.#key(hint.word), 0, memberOf(hint))))
  }

  async remove(hints: readonly Hint[]): Promise<void> {
    await Promise.all(hints.map((hint) => this.#redis.zrem(this.#key(hint.word), memberOf(hint))))
  }

  /** @returns at most `count` hints whose word starts so, in the order of words */
  async find(start: string, count: number): Promise<Hint[]> {
    const low = Buffer.from(`[${start}`)
    // No byte of UTF-8 is 0xff: nothing that starts so lies behind it.
    const high = Buffer.concat([Buffer.from(`(${start}`), Buffer.from([0xff])])
    const members = await this.#redis.zrange(this.#key(start), low, high, 'BYLEX', 'LIMIT', 0, count)
    return members.map(hintOf)
  }

  #key(word: string): string {
    return `${this.#keys.owner(`people:${(word.codePointAt(0) ?? 0).toString(16)}`)}words`
  }
}
