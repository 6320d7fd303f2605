/**
 * What the HTTP side needs: the services behind its routes and the gateway's settings. `main.ts` composes them.
 */
import type { SessionInfo } from '@starling/protocol/frames'
import type { SessionId, UserId } from '@starling/protocol/ids'
import type { Config } from '../config.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Accounts } from '../services/accounts.ts'
import type { Contacts } from '../services/contacts.ts'
import type { Groups } from '../services/groups.ts'
import type { History } from '../services/history.ts'
import type { Messaging } from '../services/messaging.ts'
import type { Tokens } from '../services/tokens.ts'

export interface HttpDeps {
  config: Pick<Config, 'AUTH' | 'API_KEY' | 'ALLOWED_ORIGINS'>
  log: Log
  metrics: Metrics
  tokens: Pick<Tokens, 'verify' | 'issue'>
  accounts: Accounts
  contacts: Contacts
  messaging: Pick<Messaging, 'send'>
  history: Pick<History, 'messages' | 'conversation' | 'conversations'>
  groups: Pick<Groups, 'create' | 'get' | 'members' | 'add' | 'remove'>
  presence: PresencePort
  sessions: SessionsPort
  cluster: ClusterPort
  /** The folder of the built web client; undefined, or without an index.html: none is served. */
  webDir?: string
}

export interface PresencePort {
  of(users: readonly UserId[]): Promise<{ on: UserId[]; off: UserId[] }>
  page(page: { cursor?: string | undefined; limit: number }): Promise<{
    users: UserId[]
    total: number
    cursor?: string | undefined
  }>
}

export interface SessionsPort {
  list(user: UserId): Promise<SessionInfo[]>
  /** @param session one of the user's, or `*` for all  @throws ProtocolError `not_found` */
  close(user: UserId, session: SessionId | '*'): Promise<void>
}

export interface ClusterPort {
  stats(): Promise<{
    nodes: { node: string; connections: number; since: number }[]
    connections: number
    online: number
  }>
  /** Redis answers, the live feed works, the gateway is not draining. */
  ready(): boolean
}

/** What the server hands over with each request. */
export interface Bindings {
  /** The client's address as text, behind a trusted proxy the one that it names. */
  remoteAddress: string
}
