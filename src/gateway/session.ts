/**
 * One connection's way through the gateway: it waits for its hello, joins, lives, leaves. A state carries only what
 * it can have; what is common to all states is the connection and its counters.
 */
import { CLOSE_CODES, type CloseCode } from '@starling/protocol/close'
import { encodeFrame } from '@starling/protocol/codec'
import { ProtocolError } from '@starling/protocol/errors'
import type { ClientFrame, ServerFrame } from '@starling/protocol/frames'
import type {
  ConvId,
  DeviceId,
  GroupId,
  InboxPosition,
  MessageId,
  Ref,
  SessionId,
  UserId,
} from '@starling/protocol/ids'
import {
  BAD_FRAMES_IN_A_ROW,
  HELLO_TIMEOUT_MS,
  REFUSAL_WINDOW_MS,
  REFUSALS_BEFORE_CLOSE,
  TOKEN_LEEWAY_MS,
} from '@starling/protocol/limits'
import type { TokenBucket } from '../lib/token-bucket.ts'
import type { Turns } from '../lib/turns.ts'
import type { SyncStart } from '../services/sync.ts'
import type { Connection } from './connection.ts'
import type { Stream } from './hub.ts'

/** A user with at least one session here. */
export interface LocalUser extends Stream<InboxPosition> {
  readonly user: UserId
  /** A new list with every change: one who goes over it may close some of them. */
  sessions: readonly Session[]
  forwarded: InboxPosition
  /** Whether no other session or device of theirs is known anywhere: then their own inbox needn't learn of their dms. */
  alone: boolean
  /** Groups followed here, with the id the user joined at; undefined until the first. */
  groups: Map<GroupId, MessageId> | undefined
  /** Groups left while this user was here: an order to let go may overtake the reply that says to follow. */
  exits: Map<GroupId, MessageId> | undefined
  /** conversation → when typing was passed on last, ms */
  typed: Map<ConvId, number> | undefined
}

export type SessionState =
  | { is: 'awaitingHello' }
  | {
      is: 'joining'
      waiting: ClientFrame[]
      bytes: number
      /** Set once the token is good: from then on it can be kicked. */
      who: Identity | undefined
      here: LocalUser | undefined
    }
  | { is: 'live'; here: LocalUser }
  | { is: 'closed' }

/** Who a live session is. */
export interface Identity {
  user: UserId
  session: SessionId
  device: DeviceId
  platform: string
  /** Unix ms. */
  since: number
  /** The name in the token. */
  name: string | undefined
}

/** A session that has had its welcome. */
export interface Live {
  session: Session
  identity: Identity
  here: LocalUser
}

/** What may wait for a welcome. */
const WAITING_MAX_FRAMES = 1_000
const WAITING_MAX_BYTES = 256 * 1024

/**
 * What of a session's frames may be under way, in simple ones: more than any client needs, and little enough that others
 * who wait behind it notice nothing.
 */
const UNDER_WAY_MAX = 1_000

export class Session {
  readonly connection: Connection
  readonly openedAt: number
  state: SessionState = { is: 'awaitingHello' }
  /** Set with the first good hello. */
  identity: Identity | undefined
  /** End of the newest token, Unix s; set with the first good hello. */
  tokenExp: number | undefined
  /** The rate of its sends; undefined until the first. */
  sends: TokenBucket | undefined
  /** Live syncs are served in turn; undefined until the first. */
  syncs: Turns | undefined
  /** What the first sync starts with, where it waits behind the hello and was begun before the welcome. */
  ahead: Promise<SyncStart> | undefined
  /** Whose presence this session watches; undefined until it watches. */
  watching: Set<UserId> | undefined
  /** What it asks of its watches is done in turn; undefined until the first. */
  watches: Turns | undefined
  #underWay = 0
  #badFrames = 0
  #refusals: { since: number; count: number } | undefined

  constructor(connection: Connection, now: number) {
    this.connection = connection
    this.openedAt = now
  }

  /** Sends a reply or control frame. */
  send(frame: ServerFrame): void {
    this.sendRaw(encodeFrame(frame))
  }

  /** Sends a frame that is serialised already. */
  sendRaw(frame: string | Uint8Array): void {
    if (this.state.is === 'closed') return
    this.connection.send(frame)
  }

  sendError(error: ProtocolError, ref: Ref | undefined): void {
    this.send({ op: 'error', ...(ref !== undefined && { ref }), ...error.toJSON() })
  }

  close(code: CloseCode): void {
    this.connection.end(code, CLOSE_CODES[code].name)
  }

  /** Keeps a frame for after the welcome. @returns whether there was room */
  keep(frame: ClientFrame, bytes: number): boolean {
    const { state } = this
    if (state.is !== 'joining' || state.waiting.length >= WAITING_MAX_FRAMES) return false
    state.waiting.push(frame)
    state.bytes += bytes
    return state.bytes <= WAITING_MAX_BYTES
  }

  /** The user's entry in the hub, from the join on. */
  get here(): LocalUser | undefined {
    return this.state.is === 'live' || this.state.is === 'joining' ? this.state.here : undefined
  }

  /** Passes on a live frame; before the welcome there are none, the client's sync brings what it missed. */
  deliver(frame: string | Uint8Array): void {
    if (this.state.is === 'live') this.sendRaw(frame)
  }

  /** Takes up work, whose `done` must follow. @returns whether there is room for it */
  begin(cost: number): boolean {
    this.#underWay += cost
    return this.#underWay <= UNDER_WAY_MAX
  }

  done(cost: number): void {
    this.#underWay -= cost
  }

  goodFrame(): void {
    this.#badFrames = 0
  }

  /** @returns whether this one was one too many */
  badFrame(): boolean {
    this.#badFrames += 1
    return this.#badFrames >= BAD_FRAMES_IN_A_ROW
  }

  /** Counts a refusal by a limit. @returns whether the client goes on and on */
  refused(now: number): boolean {
    if (!this.#refusals || now - this.#refusals.since > REFUSAL_WINDOW_MS)
      this.#refusals = { since: now, count: 0 }
    this.#refusals.count += 1
    return this.#refusals.count >= REFUSALS_BEFORE_CLOSE
  }

  /**
   * What time has done to this session.
   * @param now Unix ms  @param maxBuffer bytes that may wait
   * @returns the code to close it with, if any
   */
  overdue(now: number, maxBuffer: number): CloseCode | undefined {
    if (this.state.is === 'closed') return undefined
    if (this.identity === undefined && now - this.openedAt >= HELLO_TIMEOUT_MS) return 4002
    if (this.tokenExp !== undefined && now >= this.tokenExp * 1000 + TOKEN_LEEWAY_MS / 2) return 4001
    if (this.connection.buffered() > maxBuffer) return 4008
    return undefined
  }
}

/** @throws ProtocolError where the line is gone: what it has asked for is not read for nobody */
export function assertThere({ state }: Session): void {
  if (state.is === 'closed') throw new ProtocolError('unavailable', 'the line is gone', { retryIn: 0 })
}
