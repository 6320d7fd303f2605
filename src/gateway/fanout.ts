/**
 * From the bus to the sockets here: bytes go out as they came, orders are carried out in their place among them.
 */

import { type ConvId, type SessionId, seqOf, type UserId } from '@starling/protocol/ids'
import type { BusEvent, Order } from '../bus/bus.ts'
import type { Log } from '../lib/log.ts'
import type { TopicPublisher } from './connection.ts'
import type { Doubts } from './doubts.ts'
import type { Follow } from './follow.ts'
import type { Hub, LocalConv, Stream } from './hub.ts'
import type { LocalUser } from './session.ts'

const USER = 'user:'

export class Fanout {
  readonly #hub: Hub
  readonly #topics: TopicPublisher
  readonly #follow: Follow
  readonly #doubts: Doubts
  readonly #log: Log

  constructor(deps: { hub: Hub; topics: TopicPublisher; follow: Follow; doubts: Doubts; log: Log }) {
    this.#hub = deps.hub
    this.#doubts = deps.doubts
    this.#topics = deps.topics
    this.#follow = deps.follow
    this.#log = deps.log
  }

  event(event: BusEvent): void {
    if (event.kind === 'control') {
      this.#carryOut(event.order)
    } else if (event.topic.startsWith(USER)) {
      const user = event.topic.slice(USER.length) as UserId
      if (event.kind === 'message') this.#hub.heard(user)
      if (event.kind === 'sessions' && !isAlone(event)) this.#hub.accompanied(user)
      const here = this.#hub.users.get(user)
      if (here) this.#toUser(here, event)
    } else {
      const local = this.#hub.convs.get(event.topic as ConvId)
      if (!local) return // nobody here any more; the node is on its way out of the list
      if (this.#doubts.about(event.topic)) {
        // One who was removed may still follow the topic: nobody gets anything of it live.
        if (event.kind === 'message') hold(local, event)
        return
      }
      if (event.kind === 'message') local.forwarded = event.position
      if (event.kind === 'typing') this.#hint(local, event.frame)
      else this.#topics.publish(event.topic, event.frame)
    }
  }

  /** One by one: the transport's own fan-out would put it in the way of what waits for those who are behind. */
  #hint({ users }: LocalConv, frame: Uint8Array): void {
    for (const user of users) {
      for (const session of this.#hub.users.get(user)?.sessions ?? []) {
        if (session.connection.buffered() === 0) session.deliver(frame)
      }
    }
  }

  #toUser(here: LocalUser, event: Exclude<BusEvent, { kind: 'control' }>): void {
    if (event.kind === 'message') {
      if (this.#doubts.about(event.topic)) return hold(here, event)
      here.forwarded = event.position
    }
    if (event.kind === 'sessions') here.alone = isAlone(event)
    for (const session of here.sessions) {
      if (event.kind === 'others' && session.identity?.session === event.except) continue
      if (event.kind === 'typing' && session.connection.buffered() > 0) continue
      session.deliver(event.frame)
    }
  }

  #carryOut(order: Order): void {
    if (order.do === 'kick') this.#kickJoining(order)
    const here = this.#hub.users.get(order.user)
    if (!here) return
    switch (order.do) {
      case 'enter':
        this.#enter(here, order)
        return
      case 'exit':
        this.#follow.exit(here, order.group, order.id)
        return
      case 'kick':
        for (const session of here.sessions) {
          if (isMeant(order, session.identity?.session)) session.close(4003)
        }
    }
  }

  /** Those whose join is written in Redis, but whose answer hasn't come yet. */
  #kickJoining(order: Extract<Order, { do: 'kick' }>): void {
    for (const session of this.#hub.sessions) {
      const who = session.state.is === 'joining' ? session.state.who : undefined
      if (who && who.user === order.user && isMeant(order, who.session)) session.close(4003)
    }
  }

  #enter(here: LocalUser, { group, id }: Extract<Order, { do: 'enter' }>): void {
    this.#follow.enter(here, group, id).catch((fault: unknown) => {
      this.#log.warn({ err: fault, user: here.user, group }, 'fanout: cannot follow a group now')
      for (const session of here.sessions) session.close(1011)
    })
  }
}

/** Keeps a message from those here for now; the recovery tells them to sync. */
function hold(stream: Stream, { position, frame }: Extract<BusEvent, { kind: 'message' }>): void {
  stream.missed = position
  const { forwarded } = stream
  if (forwarded !== undefined && seqOf(position) <= seqOf(forwarded)) stream.turn ??= frame
}

const isMeant = (order: Extract<Order, { do: 'kick' }>, session: SessionId | undefined) =>
  order.session === '*' || order.session === session

const isAlone = ({ sessions, devices }: { sessions: number; devices: number }) =>
  sessions <= 1 && devices <= 1
