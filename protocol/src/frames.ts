/**
 * Every frame of the protocol: one union per direction, tagged by `op`. The client's side is what the
 * schemas let through; the server's side is what gateways write and clients read.
 */
import type { ErrorCode } from './errors.ts'
import type { clientFrame } from './schemas.ts'

/** What a gateway hands on after the schemas have seen it. */
export type ClientFrame = ReturnType<typeof clientFrame.parse>
export type ClientOp = ClientFrame['op']
export type ClientFrameOf<Op extends ClientOp> = Extract<ClientFrame, { op: Op }>

/** What a message carries. `event` comes from the server alone. */
export type Body = UserBody | EventBody
export type UserBody =
  | { type: 'text'; text: string; [more: string]: unknown }
  | { type: 'image' | 'file'; url: string; name: string; size: number; mime: string; [more: string]: unknown }
  | { type: 'custom'; [more: string]: unknown }

export type EventBody = { type: 'event' } & (
  | { event: 'member_joined'; users: string[]; by: string }
  | { event: 'member_left'; users: string[] }
  | { event: 'member_removed'; users: string[]; by: string }
  | { event: 'role_changed'; user: string; role: string; by: string }
  | { event: 'group_updated'; fields: string[]; by: string }
  | { event: 'group_dissolved'; by: string }
  | { event: 'message_recalled'; id: string; by: string }
)

/** A message as history and `message` frames have it. */
export interface Message {
  conv: string
  id: string
  from: string
  ref?: string
  body: Body
  reply?: string
  mentions?: string[]
}

/** One line of a user's conversation list. */
export interface ConversationEntry {
  conv: string
  head: string
  read: string
  unread: number
  /** dms: up to where the other user has read and received. */
  peerRead?: string
  peerReceived?: string
  gap?: boolean
  /** The newest message; `cut` where its body was too long for a list. */
  last?: Message & { cut?: boolean }
  title?: string
}

export interface SessionInfo {
  session: string
  device: string
  platform: string
  node: string
  /** Unix ms. */
  since: number
}

export interface User {
  id: string
  name: string
  avatar?: string
}

export interface Limits {
  frame: number
  body: number
  watch: number
  sessions: number
  sendsPerSecond: number
  burst: number
  recallMs: number
}

export interface Welcome {
  op: 'welcome'
  ref?: string
  session: string
  user: User
  node: string
  time: number
  heartbeat: number
  inbox: string
  resumed: boolean
  limits: Limits
}

export interface MessageFrame extends Message {
  op: 'message'
  /** Its place in this user's inbox, where it has one. */
  inbox?: string
}

export type ServerFrame =
  | Welcome
  | { op: 'ack'; ref: string; conv: string; id: string; inbox?: string; dup?: boolean }
  | { op: 'ok'; ref?: string; [more: string]: unknown }
  | { op: 'error'; ref?: string; code: ErrorCode; message: string; field?: string; retryIn?: number }
  | MessageFrame
  | { op: 'batch'; ref?: string; frames: MessageFrame[] }
  | { op: 'synced'; ref?: string; inbox: string; gap?: boolean; convs: ConversationEntry[] }
  | { op: 'presence'; on: string[]; off: string[]; total?: number }
  | { op: 'typing'; conv: string; from: string }
  | { op: 'receipt'; conv: string; user: string; received?: string; read?: string }
  | { op: 'session'; sessions: SessionInfo[] }
  | { op: 'unread'; conv: string; read: string; unread: number }
  | { op: 'resync'; convs?: string[]; within: number }
  | { op: 'goodbye'; reason: string; retryIn: number }
  | { op: 'pong'; ref?: string; time: number; inbox: string }

export type ServerOp = ServerFrame['op']
export type ServerFrameOf<Op extends ServerOp> = Extract<ServerFrame, { op: Op }>
