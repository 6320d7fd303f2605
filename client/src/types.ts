/**
 * The SDK's public types: what `createClient` takes and what a client offers. No code lives here.
 */
import type {
  Body,
  ConversationEntry,
  MessageFrame,
  ServerFrameOf,
  SessionInfo,
  UserBody,
  Welcome,
} from '@starling/protocol/frames'
import type { Clock } from './clock.ts'
import type { ConnectionState } from './connection.ts'
import type { StarlingError } from './errors.ts'
import type { PositionStorage } from './storage.ts'
import type { WebSocketConstructor } from './transport.ts'

/** Why a token is asked for: the first one, one in time before the old one ends, or one after a refusal. */
export type TokenReason = 'first' | 'expiring' | 'unauthorized'

export interface ClientOptions {
  /** `ws(s)://host:port` or `http(s)://host:port`, `/ws` is added. Tried in random order, the next one on failure. */
  endpoints: readonly string[]
  /** Stable over reconnects and reloads: 1–64 of `A-Z a-z 0-9 _ . -`. `browserDevice()` keeps one in a browser. */
  device: string
  /** Shown in the user's list of sessions, at most 64 characters. */
  platform?: string
  /**
   * Asked on the first connect, a while before the token ends, and when one was refused. A rejection is tried
   * again with back-off, except a `StarlingError` with code `unauthorized`, which closes the client.
   */
  getToken: (why: TokenReason) => Promise<string>
  /** Where positions and the outbox survive a reload; default: nowhere. `browserStorage()` is for browsers. */
  storage?: PositionStorage
  /** The socket class; default `globalThis.WebSocket`. */
  WebSocket?: WebSocketConstructor
  /** Time and timers; default the platform's. For tests. */
  clock?: Clock
  /** [0, 1) as Math.random, the default. For tests. */
  random?: () => number
}

/** A message to be sent. */
export interface Draft {
  /** `user:<id>`, `group:<id>` or `channel:<id>`. */
  to: string
  /** Must not be changed after it was handed over. */
  body: UserBody
  /** The id of the message it answers. */
  reply?: string
  /** At most 50 user ids. */
  mentions?: readonly string[]
  /** Dedupe key, 1–64 printable ASCII characters; default: one that nobody else has. */
  ref?: string
}

/** The server has stored the message. */
export interface Ack {
  ref: string
  conv: string
  id: string
  inbox?: string
  /** The log already had this ref: an earlier try had arrived. */
  dup?: boolean
}

export type OutboxStatus = 'queued' | 'sent'

/** What is not acked yet. */
export interface OutboxItem {
  readonly ref: string
  readonly to: string
  readonly body: Body
  readonly reply?: string
  readonly mentions?: readonly string[]
  /** `sent`: under way, the ack is awaited. `queued`: waits for a line, for its turn or for the end of a refusal. */
  readonly status: OutboxStatus
}

/** Who is online of those asked for; `total` where everybody was asked for (`*`). */
export interface Presence {
  on: string[]
  off: string[]
  total?: number
}

type Payload<Frame> = Omit<Frame, 'op' | 'ref'>

/** Events and what their listeners get. */
export interface ClientEvents {
  state: { from: ConnectionState; to: ConnectionState; why: string }
  /** A session has begun; the sync follows. */
  welcome: Welcome
  /**
   * Every message of every conversation, once per id, in the order of ids as far as known. Own messages too,
   * from this client and from others; `ref` ties those of this client to their `send`.
   */
  message: MessageFrame
  /**
   * A message that was told before has another id now: Redis had lost it in a failover, and its sender has sent it again.
   * It stands where the new id puts it.
   */
  moved: { conv: string; was: string; id: string }
  /** Conversations as the server lists them after a sync; after a partial one, only those asked for. */
  conversations: ConversationEntry[]
  /**
   * Messages are missing that no sync can bring: load the history of these by HTTP. Told as soon as it is known, mostly while
   * the sync is still under way, and not again.
   */
  reload: { convs: string[] | 'all' }
  presence: Presence
  typing: Payload<ServerFrameOf<'typing'>>
  receipt: Payload<ServerFrameOf<'receipt'>>
  /** This user's connections, this one included. */
  session: SessionInfo[]
  /** Another device of this user has read. */
  unread: Payload<ServerFrameOf<'unread'>>
  outbox: { ref: string; status: OutboxStatus | 'acked' | 'failed'; error?: StarlingError }
  /** A line has ended. `reconnect`: another will be tried. */
  close: { code: number; name: string; reconnect: boolean }
  /** What nobody awaited: an error of a listener, of the storage, of a token refresh, a frame that makes no sense. */
  error: unknown
}

export type ClientEvent = keyof ClientEvents
export type Listener<Event extends ClientEvent> = (payload: ClientEvents[Event]) => void

/** One user on one device: a connection that keeps coming back until it is closed. */
export interface Client {
  readonly state: ConnectionState
  /** The last welcome: user, node, session, limits. */
  readonly welcome: Welcome | undefined
  /** The endpoint in use or tried last, as it stands in the options. */
  readonly endpoint: string | undefined
  /** What is not acked yet, in the order sent. */
  readonly outbox: readonly OutboxItem[]
  /** Starts connecting; does nothing when started or closed. */
  connect(): void
  /** Ends everything for good. What is not acked rejects with `closed`, and stays in the storage. */
  close(): Promise<void>
  /** @returns a function that takes the listener off again */
  on<Event extends ClientEvent>(event: Event, listener: Listener<Event>): () => void
  /**
   * Puts a message into the outbox, which keeps it over reconnects and tries until the server has stored it.
   * Messages to one conversation are stored in the order sent.
   * @throws StarlingError the server's final refusal; `closed`
   */
  send(draft: Draft): Promise<Ack>
  /** Takes a message back. Waits for a session. */
  recall(conv: string, id: string): Promise<void>
  /** Moves the read position forward. Waits for a session. */
  read(conv: string, id: string): Promise<{ read: string; unread: number }>
  /** Says that the user is typing; call it as often as keys are pressed. */
  typing(to: string): void
  /** Asks for the presence of users, or of `['*']`, and to be told; remembered over reconnects. */
  watch(users: readonly string[]): Promise<Presence>
  unwatch(users: readonly string[]): Promise<void>
  /** Asks for everything after the known positions, or for these conversations alone. Rejects with `disconnected`. */
  sync(convs?: readonly string[]): Promise<void>
  /** Rejects with `disconnected` where there is no session or it ends first. */
  ping(): Promise<Pong>
}

export interface Pong {
  /** The gateway's clock, Unix ms. */
  time: number
  /** The head of the user's inbox. */
  inbox: string
  /** Milliseconds there and back. */
  roundTripMs: number
}
