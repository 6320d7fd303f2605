/**
 * Who is here: the users and conversations that this node holds sockets of, and how far it has forwarded to them.
 * It knows nothing that another node or Redis would need.
 */
import type { CloseCode } from '@starling/protocol/close'
import type { ConvId, InboxPosition, MessageId, Position, UserId } from '@starling/protocol/ids'
import type { LocalUser, Session } from './session.ts'

/** How far what is live has been passed on: of a user's inbox, or of a conversation. */
export interface Stream<Place extends Position = Position> {
  /** The last one; undefined until the head is known. While the topic is in doubt it stands still. */
  forwarded: Place | undefined
  /** The last one that was lost or held back: those here have yet to be told to sync. */
  missed: Place | undefined
  /** Where the log has gone back (Redis has lost a part): its first new message, which has to be told first. */
  turn: string | Uint8Array | undefined
}

/** A group with at least one member here, or a channel. */
export interface LocalConv extends Stream<MessageId> {
  readonly conv: ConvId
  readonly users: Set<UserId>
}

/** Sessions of a user that are being written, and what the bus has said meanwhile. */
export interface Arrival {
  count: number
  /** There was news of other sessions or devices. */
  accompanied: boolean
  /** A message came, which there may have been nobody to tell. */
  heard: boolean
}

export class Hub {
  readonly sessions = new Set<Session>()
  readonly #arrivals = new Map<UserId, Arrival>()
  readonly users = new Map<UserId, LocalUser>()
  readonly convs = new Map<ConvId, LocalConv>()

  /** @returns the user's entry, made where there is none yet */
  user(user: UserId, inboxHead: InboxPosition): LocalUser {
    let here = this.users.get(user)
    if (!here) {
      here = {
        user,
        sessions: [],
        forwarded: inboxHead,
        missed: undefined,
        turn: undefined,
        alone: false,
        groups: undefined,
        exits: undefined,
        typed: undefined,
      }
      this.users.set(user, here)
    }
    return here
  }

  /**
   * A session of this user is about to be written. The answer may come after the news of the next one, which finds
   * nobody here: it is kept until then, when `arrived` follows.
   */
  arrives(user: UserId): Arrival {
    let arrival = this.#arrivals.get(user)
    if (!arrival) {
      arrival = { count: 0, accompanied: false, heard: false }
      this.#arrivals.set(user, arrival)
    }
    arrival.count++
    return arrival
  }

  /** The answer has come, or won't. */
  arrived(user: UserId, arrival: Arrival): void {
    if (--arrival.count === 0) this.#arrivals.delete(user)
  }

  /** The bus says that a user has other sessions or devices. */
  accompanied(user: UserId): void {
    const arrival = this.#arrivals.get(user)
    if (arrival) arrival.accompanied = true
  }

  /** The bus has a message for a user. */
  heard(user: UserId): void {
    const arrival = this.#arrivals.get(user)
    if (arrival) arrival.heard = true
  }

  /** @returns the conversation's entry, made where there is none yet */
  conv(conv: ConvId): LocalConv {
    let local = this.convs.get(conv)
    if (!local) {
      local = { conv, users: new Set(), forwarded: undefined, missed: undefined, turn: undefined }
      this.convs.set(conv, local)
    }
    return local
  }

  closeAll(code: CloseCode): void {
    for (const session of this.sessions) session.close(code)
  }

  /** Takes a session out. @returns whether it was the user's last one here */
  remove(session: Session, here: LocalUser): boolean {
    here.sessions = here.sessions.filter((other) => other !== session)
    if (here.sessions.length > 0) return false
    this.users.delete(here.user)
    return true
  }

  clear(): void {
    this.users.clear()
    this.convs.clear()
  }
}
