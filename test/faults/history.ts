/**
 * What happened, as the clients saw it: records in the order of one monotonic clock. Those who make load write it, the
 * checker reads it; neither knows the other. What is in the logs at the end belongs to it as well.
 */
import type { Body } from '@starling/protocol/frames'

/**
 * `shown`: the SDK's `message` event · `live` and `synced`: a frame as it came to a client on raw frames ·
 * `loaded`: by HTTP, after the server had said that it must be.
 */
export type Way = 'shown' | 'live' | 'synced' | 'loaded'

export type HistoryRecord = { at: number } & (
  | {
      /** A user has written something; with the SDK it may wait in the outbox. */
      is: 'submit'
      client: string
      conv: string
      ref: string
      text: string
    }
  /** One try on one connection; `line` counts the client's connections. */
  | { is: 'send'; client: string; line: number; conv: string; ref: string; text: string }
  | { is: 'ack'; client: string; line: number; conv: string; ref: string; id: string; dup: boolean }
  | { is: 'error'; client: string; line: number; ref: string; code: string }
  | { is: 'message'; client: string; line: number; way: Way; message: Seen }
  /** The SDK has said that a message it had shown has another id now. */
  | { is: 'moved'; client: string; conv: string; was: string; id: string }
  /** The server has said that what came before can't be had by sync: of these conversations, or of all. */
  | { is: 'reload'; client: string; convs: readonly string[] | 'all' }
  /** A session has begun, and ended as far as the client can know. */
  | { is: 'up'; client: string; node: string }
  | { is: 'down'; client: string; node: string }
  /** A watching client was told. */
  | { is: 'presence'; client: string; on: readonly string[]; off: readonly string[] }
  | { is: 'death'; node: string }
)

/** The kinds of records by name. */
export type RecordOf<Is extends HistoryRecord['is']> = Extract<HistoryRecord, { is: Is }>

/** A message as somebody has it. */
export interface Seen {
  conv: string
  id: string
  from: string
  ref?: string
  body: Body
  /** Its place in the inbox of the one who has it. */
  inbox?: string
}

/** A user on one device. */
export interface ClientInfo {
  id: string
  user: string
  /** `sdk`: shows each message once and in order. `raw`: takes frames as they come, drops by id. */
  kind: 'sdk' | 'raw'
}

/** While something is broken that presence can't do without. Promises count from its end. */
export interface Trouble {
  from: number
  until: number
}

export interface History {
  clients: readonly ClientInfo[]
  /** In the order of their times. */
  records: readonly HistoryRecord[]
  /** Each conversation as the cluster has it at the end, in order. */
  logs: ReadonlyMap<string, readonly Seen[]>
  /** The head of each conversation at the start; what was before is not judged. */
  heads: ReadonlyMap<string, string>
  /** The members of each group at the start. */
  members: ReadonlyMap<string, readonly string[]>
  troubles: readonly Trouble[]
  /** Users whose presence the watching clients watch. */
  watched: readonly string[]
  /** Once everything is quiet: who is online, as the cluster says by HTTP. */
  online: ReadonlySet<string>
  endedAt: number
}

/** What a history must not contain. */
export type ViolationKind =
  /** Acked, and not in the log. */
  | 'lost-in-log'
  /** In the log, and not at a device of somebody who reads it. */
  | 'lost'
  | 'doubled'
  /** A ref has a second id, since no log has the first one any more: the message was acked, lost, and sent again. */
  | 'rolled-back'
  /** At a device and in no log, and never acked: a failover has taken it back. */
  | 'taken-back'
  /** Devices contradict one another about what came first. */
  | 'order'
  | 'sender-order'
  /** Refused, and there nevertheless. */
  | 'refused'
  /** Somebody has what was not for them. */
  | 'leaked'
  /** One id or ref with two contents, an id in no log, a message that nobody has sent. */
  | 'altered'
  | 'phantom'
  | 'invented'
  | 'presence'
  | 'ghost'
  | 'flap'

export interface Violation {
  kind: ViolationKind
  conv?: string
  client?: string
  user?: string
  ids: readonly string[]
  refs: readonly string[]
  /** For people. */
  words: string
}

/** Monotonic ms, the same for all processes of this machine. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6
