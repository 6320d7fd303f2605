/**
 * The HTTP side, typed: everything that is a resource. Needs no connection.
 */
import type { ConversationEntry, Message, SessionInfo, User } from '@starling/protocol/frames'
import { type ApiOptions, createHttp, part } from './http.ts'

export type { ApiOptions } from './http.ts'

export interface SignedIn {
  user: User
  token: string
  /** For one `refresh`, which gives another. */
  refreshToken: string
}

export interface Page {
  cursor?: string | undefined
  /** 1–100, default 20. */
  limit?: number | undefined
}

export type Role = 'owner' | 'admin' | 'member'
export type JoinRule = 'invite' | 'open'
export type HistoryRule = 'joined' | 'all'

export interface Group {
  id: string
  name: string
  intro: string
  icon: string
  owner: string
  /** How many. */
  members: number
  join: JoinRule
  history: HistoryRule
  /** Unix ms. */
  createdAt: number
}

export interface NewGroup {
  name: string
  intro?: string
  icon?: string
  /** At most 500. */
  members?: readonly string[]
  join?: JoinRule
  history?: HistoryRule
}

export interface Member {
  user: string
  role: Role
  /** Unix ms. */
  joined: number
  /** Unix ms. */
  mutedUntil?: number
}

export interface Contacts {
  /** Whom the user follows. */
  contacts: User[]
  blocks: User[]
}

/** At most one of `before`, `after` (ids, not included), `at` (from this time on, Unix ms); none: the newest. */
export interface HistoryRange {
  before?: string
  after?: string
  at?: number
  limit?: number
}

export type Api = ReturnType<typeof createApi>

/** @returns the calls of `/api/v1`; all of them reject with StarlingErrors */
export function createApi(options: ApiOptions = {}) {
  const call = createHttp(options)
  const group = (id: string) => `/groups/${part(id)}`
  const member = (id: string, user: string) => `${group(id)}/members/${part(user)}`
  return {
    register: (account: { id: string; password: string; name?: string }) =>
      call<SignedIn>('POST', '/auth/register', { body: account, open: true }),
    login: (account: { id: string; password: string }) =>
      call<SignedIn>('POST', '/auth/login', { body: account, open: true }),
    guest: (guest: { name?: string } = {}) =>
      call<SignedIn>('POST', '/auth/guest', { body: guest, open: true }),
    refresh: (refreshToken: string) =>
      call<SignedIn>('POST', '/auth/refresh', { body: { refreshToken }, open: true }),

    me: () => call<User>('GET', '/me'),
    updateMe: (profile: { name?: string; avatar?: string }) => call<User>('PATCH', '/me', { body: profile }),
    /** @param ids at most 50; those without a profile are left out */
    users: (ids: readonly string[]) => call<{ users: User[] }>('GET', '/users', { query: { ids } }),
    searchUsers: (q: string) => call<{ users: User[] }>('GET', '/users/search', { query: { q } }),

    conversations: (page: Page = {}) =>
      call<{ conversations: ConversationEntry[]; cursor?: string }>('GET', '/conversations', {
        query: { ...page },
      }),
    conversation: (conv: string) => call<ConversationEntry>('GET', `/conversations/${part(conv)}`),
    /** Oldest first; `more`: there is more in the direction asked. */
    messages: (conv: string, range: HistoryRange = {}) =>
      call<{ messages: Message[]; more: boolean }>('GET', `/conversations/${part(conv)}/messages`, {
        query: { ...range },
      }),

    createGroup: (body: NewGroup) => call<Group>('POST', '/groups', { body }),
    group: (id: string) => call<Group>('GET', group(id)),
    updateGroup: (id: string, body: Partial<Omit<NewGroup, 'members'>>) =>
      call<Group>('PATCH', group(id), { body }),
    dissolveGroup: (id: string) => call<void>('DELETE', group(id)),
    members: (id: string, page: Page = {}) =>
      call<{ members: Member[]; total: number; cursor?: string }>('GET', `${group(id)}/members`, {
        query: { ...page },
      }),
    /** Oneself alone: joins an open group. */
    addMembers: (id: string, users: readonly string[]) =>
      call<{ added: string[]; id: string }>('POST', `${group(id)}/members`, { body: { users } }),
    updateMember: (id: string, user: string, body: { role?: Role; mutedUntil?: number }) =>
      call<void>('PATCH', member(id, user), { body }),
    /** Oneself: leaves. */
    removeMember: (id: string, user: string) => call<{ id: string }>('DELETE', member(id, user)),
    transferGroup: (id: string, user: string) => call<void>('POST', `${group(id)}/owner`, { body: { user } }),

    contacts: () => call<Contacts>('GET', '/contacts'),
    follow: (user: string) => call<void>('PUT', `/contacts/${part(user)}`),
    unfollow: (user: string) => call<void>('DELETE', `/contacts/${part(user)}`),
    block: (user: string) => call<void>('PUT', `/blocks/${part(user)}`),
    unblock: (user: string) => call<void>('DELETE', `/blocks/${part(user)}`),

    sessions: () => call<{ sessions: SessionInfo[] }>('GET', '/sessions'),
    closeSession: (session: string) => call<void>('DELETE', `/sessions/${part(session)}`),

    /** @param users at most 50 */
    presence: (users: readonly string[]) =>
      call<{ presence: { on: string[]; off: string[] } }>('GET', '/presence', { query: { users } }),
    online: (page: Page = {}) =>
      call<{ users: User[]; total: number; cursor?: string }>('GET', '/presence/online', {
        query: { ...page },
      }),
  }
}
