/**
 * Accounts and profiles: registering, logging in, staying signed in, and what users show of themselves.
 * Who a token belongs to is tokens.ts' business; how often one may try, and what is kept, is the store's.
 */
import { createHash, randomBytes } from 'node:crypto'
import { ProtocolError } from '@starling/protocol/errors'
import type { User } from '@starling/protocol/frames'
import { isId, SYSTEM, type UserId } from '@starling/protocol/ids'
import { hashPassword, isPassword } from '../lib/password.ts'
import type { AttemptPort, Profile, ProfileChange, ProfilePort, RefreshNote } from './account-ports.ts'
import type { Tokens } from './tokens.ts'

/** What signing in gives. */
export interface Grant {
  user: User
  /** A JWT, good for an hour. */
  token: string
  /** Good once, within 30 days, for the next grant. */
  refreshToken: string
}

const TOKEN_TTL_SECONDS = 3_600
const REFRESH_TTL_MS = 30 * 24 * 3_600_000
const REFRESH_BYTES = 32
const GUEST_BYTES = 12
const SEARCH_LIMIT = 20

/** An opaque token that tells whose it is, so that the store knows where to look. */
function newRefreshToken(user: UserId): { refreshToken: string; refresh: RefreshNote } {
  const refreshToken = `${user}.${randomBytes(REFRESH_BYTES).toString('base64url')}`
  return { refreshToken, refresh: { digest: digestOf(refreshToken), ttlMs: REFRESH_TTL_MS } }
}

/** A digest without salt is enough: the token is random and long. */
const digestOf = (refreshToken: string) => createHash('sha256').update(refreshToken).digest('base64url')

/** @returns the user as clients see them: the id stands for a missing name */
const shown = ({ id, name, avatar }: Profile): User => ({
  id,
  name: name ?? id,
  ...(avatar !== undefined && { avatar }),
})

export class Accounts {
  readonly #store: ProfilePort
  readonly #tokens: Pick<Tokens, 'issue'>
  readonly #attempts: AttemptPort

  constructor(deps: { store: ProfilePort; tokens: Pick<Tokens, 'issue'>; attempts: AttemptPort }) {
    this.#store = deps.store
    this.#tokens = deps.tokens
    this.#attempts = deps.attempts
  }

  /**
   * Makes an account.
   * @param address where the request came from, for the limits
   * @throws ProtocolError `conflict` where the id is taken, by one who came with a token from elsewhere too
   */
  async register(wish: { id: UserId; password: string; name?: string | undefined }, address: string) {
    await this.#attempts.count('register', address)
    const pass = await hashPassword(wish.password)
    return this.#open({ id: wish.id, name: wish.name }, pass)
  }

  /** Makes an account without a password under an id nobody can guess. It ends with its refresh token. */
  async guest(name: string | undefined, address: string): Promise<Grant> {
    await this.#attempts.count('guest', address)
    const id = `guest-${randomBytes(GUEST_BYTES).toString('hex')}` as UserId
    return this.#open({ id, name }, undefined)
  }

  /** @throws ProtocolError `unauthorized`, the same for a wrong password and an unknown user; `rate_limited` */
  async logIn(user: UserId, password: string, address: string): Promise<Grant> {
    const attempt = await this.#attempts.password(user, address)
    if (!(await isPassword(password, await this.#store.passOf(user)))) {
      throw new ProtocolError('unauthorized', 'wrong user or password')
    }
    await attempt.forget()
    const { refreshToken, refresh } = newRefreshToken(user)
    return this.#grant(await this.#store.logIn(user, refresh), refreshToken)
  }

  /** Takes a refresh token for a new grant. @throws ProtocolError `unauthorized` where it is spent or unknown */
  async refresh(shownToken: string, address: string): Promise<Grant> {
    await this.#attempts.count('refresh', address)
    const user = shownToken.slice(0, shownToken.lastIndexOf('.'))
    const refused = new ProtocolError('unauthorized', 'the refresh token is not valid')
    if (!isId(user)) throw refused
    const id = user as UserId
    const { refreshToken, refresh } = newRefreshToken(id)
    const rotated = await this.#store.rotate(id, digestOf(shownToken), refresh)
    if (rotated.is === 'unknown') throw refused
    return this.#grant({ id, name: rotated.name, avatar: rotated.avatar }, refreshToken)
  }

  /** @param tokenName the name in the token: it stands where none was set here */
  async me(user: UserId, tokenName: string | undefined): Promise<User> {
    const [profile] = await this.#store.read([user])
    return shown({ id: user, name: profile?.name ?? tokenName, avatar: profile?.avatar })
  }

  async update(user: UserId, tokenName: string | undefined, change: ProfileChange): Promise<User> {
    const { name, avatar } = await this.#store.update(user, change)
    return shown({ id: user, name: name ?? tokenName, avatar })
  }

  /** @returns those of the users who have a profile */
  async users(ids: readonly UserId[]): Promise<User[]> {
    return (await this.#store.read(ids)).map(shown)
  }

  /** @returns all of the users, under their ids where they have no name */
  async named(ids: readonly UserId[]): Promise<User[]> {
    const known = new Map((await this.users(ids)).map((user) => [user.id, user]))
    return ids.map((id) => known.get(id) ?? { id, name: id })
  }

  /** Finds users by how their id or name starts; at most 20. */
  async search(start: string): Promise<User[]> {
    return (await this.#store.search(start, SEARCH_LIMIT)).map(shown)
  }

  async #open(who: { id: UserId; name: string | undefined }, pass: string | undefined): Promise<Grant> {
    if (who.id === SYSTEM) throw new ProtocolError('conflict', 'the id is taken', { field: 'id' })
    const { refreshToken, refresh } = newRefreshToken(who.id)
    const registered = await this.#store.register({ user: who.id, pass, name: who.name, refresh })
    if (registered === 'conflict') throw new ProtocolError('conflict', 'the id is taken', { field: 'id' })
    return this.#grant({ ...who, avatar: undefined }, refreshToken)
  }

  async #grant(profile: Profile, refreshToken: string): Promise<Grant> {
    const { token } = await this.#tokens.issue(profile.id, profile.name, TOKEN_TTL_SECONDS)
    return { user: shown(profile), token, refreshToken }
  }
}
