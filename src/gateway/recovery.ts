/**
 * After a break: what was published meanwhile is lost, so lists are put right, memberships looked at again, and those who
 * missed something are told to sync. Until then all of it is in doubt (doubts.ts) and held back. The same comparison of
 * heads runs every 40 s as a backstop for a lost tail.
 */
import { encodeFrame } from '@starling/protocol/codec'
import {
  type ConvId,
  comparePositions,
  type GroupId,
  laterOf,
  ORIGIN,
  type Position,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import type { Log } from '../lib/log.ts'
import type { SessionPort } from '../services/ports.ts'
import type { Presence } from '../services/presence.ts'
import type { TopicPublisher } from './connection.ts'
import type { Doubts } from './doubts.ts'
import type { Follow } from './follow.ts'
import type { Hub, LocalConv, Stream } from './hub.ts'
import type { LocalUser } from './session.ts'

export interface HeadsPort {
  inboxHead(user: UserId): Promise<Position | undefined>
  convHead(conv: ConvId): Promise<Position | undefined>
  attach(conv: ConvId): Promise<unknown>
  /** The first entry of a user's inbox after a position. */
  firstInInbox(user: UserId, after: Position): Promise<First | undefined>
  /** The first message of a conversation after a position; any local member may ask. */
  firstInConv(conv: ConvId, user: UserId | undefined, after: Position): Promise<First | undefined>
}

export interface First {
  position: Position
  /** Ready to send. */
  frame: string
}

/** What is live of one topic, with what its heads and its listeners are asked and told by. */
interface Followed {
  topic: string
  stream: Stream
  head: () => Promise<Position | undefined>
  firstAfter: (position: Position) => Promise<First | undefined>
  /** Has Redis and this node agree again on who listens. */
  putRight: () => Promise<unknown>
  tell: (frame: string | Uint8Array) => void
  resync: string
}

const BACKSTOP_MS = 40_000
/** How long to wait with the next try of a recovery that broke off, ms. */
const RETRY_MS = 500
/** How long what is on its way may take before a head that isn't forwarded counts as lost, ms. */
const IN_FLIGHT_MS = 500
/** How many users or conversations are asked about at once. */
const AT_ONCE = 200
/** Clients sync at a random time within this, so that they don't come all at once, ms. */
const RESYNC_WITHIN_MS = 2_000
/** What users are told; made once, since the backstop goes over all of them and has nothing to tell nearly always. */
const RESYNC_ALL = encodeFrame({ op: 'resync', within: RESYNC_WITHIN_MS })

export class Recovery {
  readonly #hub: Hub
  readonly #follow: Follow
  readonly #topics: TopicPublisher
  readonly #doubts: Doubts
  readonly #sessions: SessionPort
  readonly #presence: Presence
  readonly #heads: HeadsPort
  readonly #bucketOf: (topic: string) => number
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: {
    hub: Hub
    follow: Follow
    topics: TopicPublisher
    doubts: Doubts
    sessions: SessionPort
    presence: Presence
    heads: HeadsPort
    bucketOf: (topic: string) => number
    log: Log
  }) {
    this.#hub = deps.hub
    this.#follow = deps.follow
    this.#topics = deps.topics
    this.#doubts = deps.doubts
    this.#sessions = deps.sessions
    this.#presence = deps.presence
    this.#heads = deps.heads
    this.#bucketOf = deps.bucketOf
    this.#log = deps.log
  }

  start(): void {
    this.#timer = setInterval(() => this.#enqueue(() => this.#compare(this.#followed())), BACKSTOP_MS)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  /** The feed of these buckets was broken and is whole again. */
  mended(buckets: ReadonlySet<number>): void {
    this.#enqueue(async () => {
      await this.#insist(() => each(this.#followed(buckets), ({ putRight }) => putRight()))
      await this.#insist(() => each(this.#followed(buckets), (one) => this.#findMissed(one)))
      this.#doubts.end(buckets)
      for (const one of this.#followed(buckets)) if (!this.#doubts.about(one.topic)) this.#tellMissed(one)
      this.#doubts.release()
      await this.#insist(() => this.#compare(this.#followed(buckets)))
      this.#presence.onDoubt()
    })
  }

  /** Does it again until it comes through: the feed may be whole while commands fail. */
  async #insist(work: () => Promise<void>): Promise<void> {
    while (!this.#closed) {
      try {
        return await work()
      } catch (fault) {
        this.#log.debug({ err: fault }, 'recovery: broke off; tried again')
        await pause(RETRY_MS)
      }
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#running = this.#running.then(work).catch((fault: unknown) => {
      this.#log.debug({ err: fault }, 'recovery: the backstop broke off; it comes again')
    })
  }

  /**
   * Everything that is followed here, or what of it is told by these buckets' channels; made as it is asked for, so that
   * the backstop leaves little behind.
   */
  *#followed(buckets?: ReadonlySet<number>): Generator<Followed> {
    const isAskedFor = ({ topic }: Followed) => !buckets || buckets.has(this.#bucketOf(topic))
    for (const here of this.#hub.users.values()) {
      const one = this.#inbox(here)
      if (isAskedFor(one)) yield one
    }
    for (const local of this.#hub.convs.values()) {
      const one = this.#conv(local)
      if (isAskedFor(one)) yield one
    }
  }

  #inbox(here: LocalUser): Followed {
    const { user } = here
    return {
      topic: `user:${user}`,
      stream: here,
      head: () => this.#heads.inboxHead(user),
      firstAfter: (position) => this.#heads.firstInInbox(user, position),
      putRight: () => this.#putUserRight(here),
      tell: (frame) => {
        for (const session of here.sessions) session.deliver(frame)
      },
      resync: RESYNC_ALL,
    }
  }

  #conv(local: LocalConv): Followed {
    const { conv, users } = local
    return {
      topic: conv,
      stream: local,
      head: () => this.#heads.convHead(conv),
      firstAfter: (position) => this.#heads.firstInConv(conv, [...users][0], position),
      putRight: () => this.#putConvRight(local),
      tell: (frame) => this.#topics.publish(conv, frame),
      resync: encodeFrame({ op: 'resync', convs: [conv], within: RESYNC_WITHIN_MS }),
    }
  }

  /**
   * While a topic is in doubt nothing of it is forwarded: a head that is ahead is lost, whatever comes after it. Where
   * Redis has lost a part of the log (a failover), new messages have taken the seqs of lost ones, and what comes next may
   * follow without a jump on what clients have. So the first of the new ones goes before: a seq that goes back. Where there
   * is none yet, the sync tells clients that what they have last is unknown.
   */
  async #findMissed({ topic, stream, head: readHead, firstAfter }: Followed): Promise<void> {
    if (!this.#doubts.about(topic)) return
    const head = await readHead()
    const { forwarded } = stream
    if (forwarded === undefined) return
    if (comparePositions(head ?? ORIGIN, forwarded) < 0) {
      stream.missed ??= head ?? ORIGIN
      return
    }
    if (head === undefined || !isAhead(head, forwarded)) return
    const first = await firstAfter(forwarded)
    if (first && seqOf(first.position) <= seqOf(forwarded)) stream.turn ??= first.frame
    stream.missed = stream.missed === undefined ? head : laterOf(stream.missed, head)
  }

  #tellMissed({ stream, tell, resync }: Followed): void {
    const { missed, turn } = stream
    if (missed === undefined) return
    stream.forwarded = missed
    stream.missed = undefined
    stream.turn = undefined
    if (turn !== undefined) tell(turn)
    tell(resync)
  }

  /** Puts a user's sessions and groups right, in Redis and here. */
  async #putUserRight(here: LocalUser): Promise<void> {
    const identities = here.sessions.map(({ identity }) => identity).filter((known) => known !== undefined)
    if (identities.length === 0) return
    const { came, groups } = await this.#sessions.rejoin(here.user, identities)
    if (came !== undefined) this.#presence.came(here.user, came)
    const listed = new Set<GroupId>(groups)
    for (const group of [...(here.groups?.keys() ?? [])])
      if (!listed.has(group)) this.#follow.exit(here, group, undefined)
    await Promise.all(
      groups.filter((group) => !here.groups?.has(group)).map((group) => this.#follow.enter(here, group)),
    )
  }

  /** Puts the node back into a conversation's list, and lets those go who were removed meanwhile. */
  async #putConvRight({ conv, users }: LocalConv): Promise<void> {
    if (!conv.startsWith('group:')) {
      await this.#heads.attach(conv)
      return
    }
    const group = conv.slice('group:'.length) as GroupId
    const here = [...users].flatMap((user) => this.#hub.users.get(user) ?? [])
    await each(here, (one) => this.#follow.enter(one, group))
  }

  /** Tells those to sync whose heads in Redis are ahead of what was forwarded to them, now and a moment later. */
  async #compare(followed: Iterable<Followed>): Promise<void> {
    const ahead: { one: Followed; head: Position }[] = []
    await each(followed, async (one) => {
      const head = await one.head()
      if (head !== undefined && isAhead(head, one.stream.forwarded)) ahead.push({ one, head })
    })
    if (ahead.length === 0) return
    await pause(IN_FLIGHT_MS)
    const late = ahead.filter(
      ({ one: { topic, stream }, head }) => isAhead(head, stream.forwarded) && !this.#doubts.about(topic),
    )
    if (late.length === 0) return
    this.#log.warn({ topics: late.length }, 'recovery: the live stream lost something')
    for (const { one, head } of late) {
      // First what may fail: what counts as forwarded is never found missing again.
      await one.putRight()
      if (isAhead(head, one.stream.forwarded)) one.stream.forwarded = head
      one.tell(one.resync)
    }
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const isAhead = (head: Position, forwarded: Position | undefined) =>
  forwarded !== undefined && comparePositions(head, forwarded) > 0

async function each<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  let next: T[] = []
  for (const item of items) {
    if (next.push(item) < AT_ONCE) continue
    await Promise.all(next.map(work))
    next = []
  }
  await Promise.all(next.map(work))
}
