/**
 * Following groups: which of this node's users hear which group. Redis decides who is a member, at the moment the
 * node attaches; orders to let go may overtake that reply and win by the id they carry.
 */
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
}

export class Follow {
  readonly #hub: Hub
  readonly #port: AttachPort
  readonly #log: Log
  /** How many attaches of a conversation are under way. */
  readonly #attaching = new Map<ConvId, number>()

  constructor(deps: { hub: Hub; port: AttachPort; log: Log }) {
    this.#hub = deps.hub
    this.#port = deps.port
    this.#log = deps.log
  }

  /**
   * Has a user's sessions here follow a group, if they are a member.
   * @returns the group's head as of then; undefined where they don't follow
   */
  async enter(here: LocalUser, group: GroupId): Promise<MessageId | undefined> {
    const conv = groupConv(group)
    const { head, joined } = await this.#attach(conv, here.user)
    const exit = here.exits.get(group)
    const isMember = joined !== undefined && !(exit && comparePositions(exit, joined) > 0)
    if (!isMember || here.sessions.size === 0) {
      if (!isMember) this.exit(here, group, undefined)
      this.#letGo(conv)
      return undefined
    }
    here.exits.delete(group)
    here.groups.set(group, joined)
    const local = this.#hub.conv(conv)
    local.users.add(here.user)
    // Only for the first one here: a head that is ahead of what was forwarded is on its way, or lost, which must show.
    local.forwarded ??= head
    for (const session of here.sessions) {
      if (session.state.is === 'live') session.connection.subscribe(conv)
    }
    return head
  }

  /** Has a user's sessions here let a group go. @param id the border; undefined: whatever they joined at */
  exit(here: LocalUser, group: GroupId, id: MessageId | undefined): void {
    if (id !== undefined) here.exits.set(group, laterOf(here.exits.get(group) ?? id, id))
    const joined = here.groups.get(group)
    if (joined === undefined || (id !== undefined && comparePositions(joined, id) > 0)) return
    const conv = groupConv(group)
    here.groups.delete(group)
    for (const session of here.sessions) session.connection.unsubscribe(conv)
    this.#hub.convs.get(conv)?.users.delete(here.user)
    this.#letGo(conv)
  }

  /** A user has no session here any more. */
  forget(here: LocalUser): void {
    for (const group of here.groups.keys()) {
      const conv = groupConv(group)
      this.#hub.convs.get(conv)?.users.delete(here.user)
      this.#letGo(conv)
    }
  }

  async #attach(conv: ConvId, user: UserId) {
    this.#attaching.set(conv, (this.#attaching.get(conv) ?? 0) + 1)
    try {
      return await this.#port.attach(conv, user)
    } finally {
      const others = (this.#attaching.get(conv) ?? 1) - 1
      if (others > 0) this.#attaching.set(conv, others)
      else this.#attaching.delete(conv)
    }
  }

  /** Has the node let a group go that none of its users follows, or is about to. */
  #letGo(conv: ConvId): void {
    const local = this.#hub.convs.get(conv)
    if (local && local.users.size > 0) return
    this.#hub.convs.delete(conv)
    // A detach must not overtake in effect what an attach before it has done for another user: the last of those that
    // are under way decides. An attach that follows goes to the same place in order and wins as it should.
    if (this.#attaching.has(conv)) return
    this.#port
      .detach(conv)
      .catch((fault: unknown) => this.#log.debug({ err: fault, conv }, 'follow: not detached'))
  }
}
