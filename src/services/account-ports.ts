/** What accounts and contacts need of the store, in the words of the domain. The stores have these shapes. */
import type { UserId } from '@starling/protocol/ids'

/** What a user shows; `name` is the effective one: set here, else the token's. */
export interface Profile {
  id: UserId
  name: string | undefined
  avatar: string | undefined
}

/** A change of a profile: null takes a field away, undefined leaves it. */
export interface ProfileChange {
  name?: string | null | undefined
  avatar?: string | null | undefined
}

/** A refresh token as the store knows it. */
export interface RefreshNote {
  digest: string
  ttlMs: number
}

export interface NewAccount {
  user: UserId
  /** The password's hash; undefined: a guest. */
  pass: string | undefined
  name: string | undefined
  refresh: RefreshNote
}

export interface ProfilePort {
  register(account: NewAccount): Promise<'ok' | 'conflict'>
  /** @returns the password's hash; undefined where there is no account with a password */
  passOf(user: UserId): Promise<string | undefined>
  /** Notes the refresh token of one who has shown the password. */
  logIn(user: UserId, refresh: RefreshNote): Promise<Profile>
  /** Takes a refresh token, by its digest, for a new one, once. */
  rotate(
    user: UserId,
    old: string,
    refresh: RefreshNote,
  ): Promise<{ is: 'ok'; name: string | undefined; avatar: string | undefined } | { is: 'unknown' }>
  update(user: UserId, change: ProfileChange): Promise<Profile>
  /** @returns the profiles of those users who have one, in the order asked */
  read(users: readonly UserId[]): Promise<Profile[]>
  /** @returns users whose id or name starts so, in any case; at most `limit` */
  search(start: string, limit: number): Promise<Profile[]>
}

/** How often one may try to sign in. Both throw a ProtocolError `rate_limited` where it was too often. */
export interface AttemptPort {
  /** Counts a request of an address. */
  count(what: 'register' | 'login' | 'guest' | 'refresh', address: string): Promise<void>
  /**
   * Counts a password as wrong before it has been looked at, so that many shown at once are counted too.
   * @returns what takes a right one out of the count again
   */
  password(user: UserId, address: string): Promise<{ forget(): Promise<void> }>
}

/** `follow`: the other may write without limit. `block`: the other's messages are refused. */
export type Tie = 'follow' | 'block'

export interface ContactPort {
  tie(user: UserId, tie: Tie, other: UserId): Promise<void>
  untie(user: UserId, tie: Tie, other: UserId): Promise<void>
  /** @returns whom a user follows or blocks, by id */
  list(user: UserId, tie: Tie): Promise<UserId[]>
}
