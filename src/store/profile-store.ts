/**
 * Accounts and profiles in Redis: passwords' hashes, refresh tokens' digests, names and avatars, and the index by
 * which people are found. What a password or a token is, is the services' business.
 */
import type { UserId } from '@starling/protocol/ids'
import type {
  NewAccount,
  Profile,
  ProfileChange,
  ProfilePort,
  RefreshNote,
} from '../services/account-ports.ts'
import { type Keys, userOwner } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault, type Scripts } from './script.ts'
import { describeUser } from './scripts/user/describe.ts'
import { logInUser } from './scripts/user/log-in.ts'
import { registerUser } from './scripts/user/register.ts'
import { rotateRefresh } from './scripts/user/rotate-refresh.ts'

/** What names and ids are found by: the same for all ways to write a letter. */
const wordOf = (text: string): string => text.normalize('NFKC').toLowerCase()

const change = (value: string | null | undefined) =>
  value === undefined ? 'keep' : value === null ? 'clear' : 'set'

export class ProfileStore implements ProfilePort {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys

  constructor(deps: { redis: RedisClient; scripts: Scripts; keys: Keys }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
  }

  register({ user, pass, name, refresh }: NewAccount): Promise<'ok' | 'conflict'> {
    const { own, people } = this.#owner(user)
    return this.#scripts.run(
      registerUser,
      { profile: `${own}profile`, devices: `${own}devices`, refresh: `${own}refresh`, people },
      {
        user,
        pass: pass ?? '',
        name: name ?? '',
        word: wordOf(name ?? ''),
        own: wordOf(user),
        digest: refresh.digest,
        ttl: refresh.ttlMs,
      },
    )
  }

  async passOf(user: UserId): Promise<string | undefined> {
    const { own } = this.#owner(user)
    return (await this.#read(() => this.#redis.hget(`${own}profile`, 'pass'))) ?? undefined
  }

  async noteRefresh(user: UserId, { digest, ttlMs }: RefreshNote): Promise<void> {
    const { own } = this.#owner(user)
    await this.#scripts.run(logInUser, { refresh: `${own}refresh` }, { digest, ttl: ttlMs })
  }

  rotate(user: UserId, old: string, { digest, ttlMs }: RefreshNote) {
    const { own } = this.#owner(user)
    return this.#scripts.run(
      rotateRefresh,
      { refresh: `${own}refresh`, profile: `${own}profile` },
      { old, digest, ttl: ttlMs },
    )
  }

  async update(user: UserId, { name, avatar }: ProfileChange): Promise<Profile> {
    const { own, people } = this.#owner(user)
    const described = await this.#scripts.run(
      describeUser,
      { profile: `${own}profile`, people },
      {
        user,
        own: wordOf(user),
        name: change(name),
        new_name: name ?? '',
        word: wordOf(name ?? ''),
        avatar: change(avatar),
        new_avatar: avatar ?? '',
      },
    )
    return { id: user, name: described.name ?? described.tokenName, avatar: described.avatar }
  }

  async read(users: readonly UserId[]): Promise<Profile[]> {
    const found = await this.#read(() =>
      Promise.all(
        users.map((user) =>
          this.#redis.hmget(
            `${this.#owner(user).own}profile`,
            'name',
            'token_name',
            'avatar',
            'pass',
            'guest',
          ),
        ),
      ),
    )
    return users.flatMap((id, index) => {
      const facts = found[index] ?? []
      const [name, tokenName, avatar] = facts
      if (facts.every((fact) => fact === null)) return []
      return [{ id, name: name ?? tokenName ?? undefined, avatar: avatar ?? undefined }]
    })
  }

  /**
   * Finds users whose id or name starts so, in any case. Asks every bucket, in one round trip of many commands.
   * @returns at most `limit` ids, by the word they were found by
   */
  async search(start: string, limit: number): Promise<UserId[]> {
    const low = Buffer.from(`[${wordOf(start)}`)
    // No byte of UTF-8 is 0xff: nothing that starts so lies behind it.
    const high = Buffer.concat([Buffer.from(`(${wordOf(start)}`), Buffer.from([0xff])])
    const parts = await this.#read(() =>
      Promise.all(
        Array.from({ length: this.#keys.buckets }, (_, bucket) =>
          this.#redis.zrange(this.#people(bucket), low, high, 'BYLEX', 'LIMIT', 0, limit),
        ),
      ),
    )
    const found = parts.flat().sort()
    const ids = found.map((member) => member.slice(member.lastIndexOf('\0') + 1) as UserId)
    return [...new Set(ids)].slice(0, limit)
  }

  #owner(user: UserId) {
    const owner = userOwner(user)
    const bucket = this.#keys.bucketOf(owner)
    return { own: `${this.#keys.bucket(bucket)}${owner}:`, people: this.#people(bucket) }
  }

  #people(bucket: number): string {
    return `${this.#keys.bucket(bucket)}people`
  }

  async #read<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command()
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}
