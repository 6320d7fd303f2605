/**
 * Accounts and profiles in Redis: passwords' hashes, refresh tokens' digests, names and avatars. What a password
 * or a token is, is the services' business; by what people are found, the index's.
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
import { type Hint, PeopleIndex, wordOf } from './people-index.ts'
import type { RedisClient } from './redis.ts'
import { redisFault, type Scripts } from './script.ts'
import { describeUser } from './scripts/user/describe.ts'
import { logInUser } from './scripts/user/log-in.ts'
import { registerUser } from './scripts/user/register.ts'
import { rotateRefresh } from './scripts/user/rotate-refresh.ts'

/** Hints read for each result wanted: some may be two of one user, or hold no more. */
const HINTS_PER_RESULT = 3

const change = (value: string | null | undefined) =>
  value === undefined ? 'keep' : value === null ? 'clear' : 'set'

export class ProfileStore implements ProfilePort {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys
  readonly #people: PeopleIndex

  constructor(deps: { redis: RedisClient; scripts: Scripts; keys: Keys }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
    this.#people = new PeopleIndex(deps)
  }

  async register({ user, pass, name, refresh }: NewAccount): Promise<'ok' | 'conflict'> {
    const own = this.#own(user)
    const registered = await this.#scripts.run(
      registerUser,
      { profile: `${own}profile`, devices: `${own}devices`, refresh: `${own}refresh` },
      { pass: pass ?? '', name: name ?? '', digest: refresh.digest, ttl: refresh.ttlMs },
    )
    if (registered === 'ok') await this.#run(() => this.#people.add(hintsOf({ id: user, name })))
    return registered
  }

  async passOf(user: UserId): Promise<string | undefined> {
    return (await this.#run(() => this.#redis.hget(`${this.#own(user)}profile`, 'pass'))) ?? undefined
  }

  async logIn(user: UserId, { digest, ttlMs }: RefreshNote): Promise<Profile> {
    await this.#scripts.run(logInUser, { refresh: `${this.#own(user)}refresh` }, { digest, ttl: ttlMs })
    const [profile = { id: user, name: undefined, avatar: undefined }] = await this.read([user])
    // Registering may have broken off before it had told the index.
    await this.#run(() => this.#people.add(hintsOf(profile)))
    return profile
  }

  rotate(user: UserId, old: string, { digest, ttlMs }: RefreshNote) {
    const own = this.#own(user)
    return this.#scripts.run(
      rotateRefresh,
      { refresh: `${own}refresh`, profile: `${own}profile` },
      { old, digest, ttl: ttlMs },
    )
  }

  async update(user: UserId, { name, avatar }: ProfileChange): Promise<Profile> {
    const now = await this.#scripts.run(
      describeUser,
      { profile: `${this.#own(user)}profile` },
      { name: change(name), new_name: name ?? '', avatar: change(avatar), new_avatar: avatar ?? '' },
    )
    const profile = { id: user, name: now.name ?? now.tokenName, avatar: now.avatar }
    const held = hintsOf(profile)
    const gone = hintsOf({ id: user, name: now.oldName }).filter(({ word }) =>
      held.every((hint) => hint.word !== word),
    )
    await this.#run(() => Promise.all([this.#people.add(held), this.#people.remove(gone)]))
    return profile
  }

  async read(users: readonly UserId[]): Promise<Profile[]> {
    const fields = ['name', 'token_name', 'avatar', 'pass', 'guest']
    const found = await this.#run(() =>
      Promise.all(users.map((user) => this.#redis.hmget(`${this.#own(user)}profile`, ...fields))),
    )
    return users.flatMap((id, index) => {
      const facts = found[index] ?? []
      const [name, tokenName, avatar] = facts
      if (facts.every((fact) => fact === null)) return []
      return [{ id, name: name ?? tokenName ?? undefined, avatar: avatar ?? undefined }]
    })
  }

  async search(start: string, limit: number): Promise<Profile[]> {
    const hints = await this.#run(() => this.#people.find(wordOf(start), limit * HINTS_PER_RESULT))
    const profiles = await this.read([...new Set(hints.map(({ user }) => user))])
    const words = new Map(profiles.map((profile) => [profile.id, hintsOf(profile).map(({ word }) => word)]))
    const stale = hints.filter(({ user, word }) => !words.get(user)?.includes(word))
    // A name that was changed by a process that died before it had told, a guest who has been forgotten.
    if (stale.length > 0) await this.#run(() => this.#people.remove(stale))
    const found = new Set(hints.filter((hint) => !stale.includes(hint)).map(({ user }) => user))
    return profiles.filter(({ id }) => found.has(id)).slice(0, limit)
  }

  #own(user: UserId): string {
    return this.#keys.owner(userOwner(user))
  }

  async #run<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command()
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}

/** By what a user is found. */
function hintsOf({ id, name }: { id: UserId; name: string | undefined }): Hint[] {
  return [...new Set([wordOf(id), ...(name === undefined ? [] : [wordOf(name)])])].map((word) => ({
    word,
    user: id,
  }))
}
