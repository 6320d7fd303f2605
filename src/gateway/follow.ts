/**
 * Following groups: which of this node's users hear which group. Redis decides who is a member, at the moment the
 * node attaches; orders to let go may overtake that reply and win by the id they carry.
 */
import { encodeFrame } from '@starling/protocol/codec'
import {
  type ConvId,
  comparePositions,
  type GroupId,
  groupConv,
  laterOf,
  type MessageId,
  type UserId,
} from '@starling/protocol/ids'
import type { Log } from '../lib/log.ts'
import type { Hub } from './hub.ts'
import type { LocalUser } from './session.ts'

/** The node's entry in the list of those a conversation is published to. */
export interface AttachPort {
  attach(conv: ConvId, user?: UserId): Promise<{ head: MessageId; joined: MessageId | undefined }>
  detach(conv: ConvId): Promise<void>
  /** @returns what a member has not seen since an id, as frames, and the head as of then */
  missed(conv: ConvId, user: UserId, since: MessageId): Promise<{ frames: string[]; head: MessageId }>
}

export class Follow {
  readonly #hub: Hub
  readonly #port: AttachPort
  readonly #log: Log
  /** How many users are about to follow a conversation. */
  readonly #attaching = new Map<ConvId, number>()

  constructor(deps: { hub: Hub; port: AttachPort; log: Log }) {
    this.#hub = deps.hub
    this.#port = deps.port
    this.#log = deps.log
  }

  /**
   * Has a user's sessions here follow a group, if they are a member. Redis says so as of now.
   * @param since the id from which on they have to be told live: what came before the node was told is sent by itself
   */
  async enter(here: LocalUser, group: GroupId, since?: MessageId): Promise<void> {
    const conv = groupConv(group)
    const done = this.#begin(conv)
    // Noted before Redis is asked: what is published from then on may come by the bus before the answer does.
    const local = this.#hub.conv(conv)
    try {
      const { head, joined } = await this.#port.attach(conv, here.user)
      if (joined === undefined) this.exit(here, group, undefined)
      if (joined === undefined || !this.#mayFollow(here, group, joined)) return
      // Only for the first one here: a head that is ahead of what was forwarded is on its way, or lost, which must show.
      local.forwarded ??= head
      if (since !== undefined && comparePositions(laterOf(head, local.forwarded), since) > 0) {
        const missed = await this.#port.missed(conv, here.user, since)
        if (!this.#mayFollow(here, group, joined)) return
        for (const session of here.sessions) for (const frame of missed.frames) session.deliver(frame)
        this.#follow(here, group, joined)
        // What came by the bus while they were read went to the others here alone.
        if (comparePositions(local.forwarded, missed.head) > 0) this.#resync(here, conv)
      } else {
        this.#follow(here, group, joined)
      }
    } finally {
      done()
      this.#letGo(conv)
    }
  }

  /** Whether a user is still here, and hasn't been let go since they joined. */
  #mayFollow(here: LocalUser, group: GroupId, joined: MessageId): boolean {
    const exit = here.exits?.get(group)
    return here.sessions.length > 0 && !(exit && comparePositions(exit, joined) > 0)
  }

  #follow(here: LocalUser, group: GroupId, joined: MessageId): void {
    const conv = groupConv(group)
    here.exits?.delete(group)
    here.groups ??= new Map()
    here.groups.set(group, joined)
    this.#hub.conv(conv).users.add(here.user)
    for (const session of here.sessions) {
      if (session.state.is === 'live') session.connection.subscribe(conv)
    }
  }

  #resync(here: LocalUser, conv: ConvId): void {
    const frame = encodeFrame({ op: 'resync', convs: [conv], within: 0 })
    for (const session of here.sessions) session.deliver(frame)
  }

  /** Has a user's sessions here let a group go. @param id the border; undefined: whatever they joined at */
  exit(here: LocalUser, group: GroupId, id: MessageId | undefined): void {
    if (id !== undefined) {
      here.exits ??= new Map()
      here.exits.set(group, laterOf(here.exits.get(group) ?? id, id))
    }
    const joined = here.groups?.get(group)
    if (joined === undefined || (id !== undefined && comparePositions(joined, id) > 0)) return
    const conv = groupConv(group)
    here.groups?.delete(group)
    for (const session of here.sessions) session.connection.unsubscribe(conv)
    this.#hub.convs.get(conv)?.users.delete(here.user)
    this.#letGo(conv)
  }

  /** A user has no session here any more. */
  forget(here: LocalUser): void {
    for (const group of here.groups?.keys() ?? []) {
      const conv = groupConv(group)
      this.#hub.convs.get(conv)?.users.delete(here.user)
      this.#letGo(conv)
    }
  }

  /** Counts an entering that is under way. @returns what ends it */
  #begin(conv: ConvId): () => void {
    this.#attaching.set(conv, (this.#attaching.get(conv) ?? 0) + 1)
    return () => {
      const others = (this.#attaching.get(conv) ?? 1) - 1
      if (others > 0) this.#attaching.set(conv, others)
      else this.#attaching.delete(conv)
    }
  }

  /** Has the node let a group go that none of its users follows, or is about to. */
  #letGo(conv: ConvId): void {
    // A detach must not overtake in effect what an attach before it has done for another user: the last of those that
    // are under way decides. An attach that follows goes to the same place in order and wins as it should.
    if (this.#attaching.has(conv)) return
    const local = this.#hub.convs.get(conv)
    if (local && local.users.size > 0) return
    this.#hub.convs.delete(conv)
    this.#port
      .detach(conv)
      .catch((fault: unknown) => this.#log.debug({ err: fault, conv }, 'follow: not detached'))
  }
}
