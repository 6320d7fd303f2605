/**
 * After a break: what was published meanwhile is lost, so lists are put right, memberships looked at again, and
 * those who missed something are told to sync. Until then groups are doubtful: the order to let a removed member go
 * may be among what was lost. The same comparison runs every 40 s as a backstop for a lost tail.
 */
import { encodeFrame } from '@starling/protocol/codec'
import {
  type ConvId,
  comparePositions,
  type GroupId,
  type MessageId,
  type Position,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import type { Log } from '../lib/log.ts'
import type { SessionPort } from '../services/ports.ts'
import type { Presence } from '../services/presence.ts'
import type { TopicPublisher } from './connection.ts'
import type { Follow } from './follow.ts'
import type { Hub, LocalConv } from './hub.ts'
import type { Identity, LocalUser } from './session.ts'

export interface HeadsPort {
  inboxHead(user: LocalUser['user']): Promise<Position | undefined>
  convHead(conv: ConvId): Promise<Position | undefined>
  attach(conv: ConvId): Promise<unknown>
  /** The first message after a position, as a frame; any local member may ask. */
  firstAfter(
    conv: ConvId,
    user: UserId | undefined,
    position: MessageId,
  ): Promise<{ id: MessageId; frame: string } | undefined>
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

export class Recovery {
  readonly #hub: Hub
  readonly #follow: Follow
  readonly #topics: TopicPublisher
  readonly #sessions: SessionPort
  readonly #presence: Presence
  readonly #heads: HeadsPort
  readonly #bucketOf: (owner: string) => number
  readonly #log: Log
  /** bucket → how many of its breaks are not dealt with */
  readonly #doubts = new Map<number, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: {
    hub: Hub
    follow: Follow
    topics: TopicPublisher
    sessions: SessionPort
    presence: Presence
    heads: HeadsPort
    bucketOf: (owner: string) => number
    log: Log
  }) {
    this.#hub = deps.hub
    this.#follow = deps.follow
    this.#topics = deps.topics
    this.#sessions = deps.sessions
    this.#presence = deps.presence
    this.#heads = deps.heads
    this.#bucketOf = deps.bucketOf
    this.#log = deps.log
  }

  start(): void {
    this.#timer = setInterval(() => this.#enqueue(() => this.#compare(everything)), BACKSTOP_MS)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
  }

  /** Whether a removal from this group may have been missed. */
  isDoubtful(conv: ConvId): boolean {
    return this.#doubts.size > 0 && conv.startsWith('group:') && this.#doubts.has(this.#bucketOf(conv))
  }

  /** The feed of these buckets has broken. */
  broken(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) this.#doubts.set(bucket, (this.#doubts.get(bucket) ?? 0) + 1)
  }

  /** Nobody is here any more, and the feed is a new one: there is nothing to recover. */
  reset(): void {
    this.#doubts.clear()
  }

  /** The feed of these buckets was broken and is whole again. */
  mended(buckets: ReadonlySet<number>): void {
    const concerned = (owner: string) => buckets.has(this.#bucketOf(owner))
    this.#enqueue(async () => {
      await this.#insist(() => this.#putBack(concerned))
      await this.#insist(() => this.#findMissed(concerned))
      this.#trust(buckets)
      this.#tellMissed(concerned)
      await this.#insist(() => this.#compare(concerned))
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

  async #putBack(concerned: (owner: string) => boolean): Promise<void> {
    const users = [...this.#hub.users.values()].filter((here) => concerned(`user:${here.user}`))
    await each(users, (here) => this.#putRight(here))
    const convs = [...this.#hub.convs.values()].filter(({ conv }) => concerned(conv))
    await each(
      convs.flatMap((local) => this.#follows(local)),
      (follow) => follow(),
    )
  }

  /**
   * While groups are in doubt nothing is forwarded to them: a head that is ahead is lost, whatever comes after it.
   * Where Redis has lost a part of the log (a failover), new messages have taken the seqs of lost ones, and what comes
   * next may follow without a jump on what clients have. So the first of the new ones goes before: a seq that goes back.
   */
  async #findMissed(concerned: (owner: string) => boolean): Promise<void> {
    const groups = [...this.#hub.convs.values()].filter(
      ({ conv }) => concerned(conv) && this.isDoubtful(conv),
    )
    await each(groups, async (local) => {
      const head = await this.#heads.convHead(local.conv)
      const { forwarded } = local
      if (head === undefined || forwarded === undefined || !isAhead(head, forwarded)) return
      const [user] = local.users
      const first = await this.#heads.firstAfter(local.conv, user, forwarded)
      if (first && seqOf(first.id) <= seqOf(forwarded)) local.turn ??= first.frame
      local.forwarded = head as NonNullable<LocalConv['forwarded']>
      local.missed = true
    })
  }

  #tellMissed(concerned: (owner: string) => boolean): void {
    for (const local of this.#hub.convs.values()) {
      if (!local.missed || !concerned(local.conv) || this.isDoubtful(local.conv)) continue
      local.missed = false
      if (local.turn !== undefined) this.#topics.publish(local.conv, local.turn)
      local.turn = undefined
      this.#tellToSync(local.conv)
    }
  }

  #tellToSync(conv: ConvId): void {
    this.#topics.publish(conv, encodeFrame({ op: 'resync', convs: [conv], within: RESYNC_WITHIN_MS }))
  }

  #trust(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) {
      const others = (this.#doubts.get(bucket) ?? 0) - 1
      if (others > 0) this.#doubts.set(bucket, others)
      else this.#doubts.delete(bucket)
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#running = this.#running.then(work).catch((fault: unknown) => {
      this.#log.debug({ err: fault }, 'recovery: the backstop broke off; it comes again')
    })
  }

  /** Puts a user's sessions and groups right, in Redis and here. */
  async #putRight(here: LocalUser): Promise<void> {
    const identities = [...here.sessions]
      .map(({ identity }) => identity)
      .filter((known) => known !== undefined)
    if (identities.length === 0) return
    const { came, groups } = await this.#sessions.rejoin(here.user, identities satisfies Identity[])
    if (came !== undefined) this.#presence.came(here.user, came)
    const listed = new Set<GroupId>(groups)
    for (const group of [...here.groups.keys()])
      if (!listed.has(group)) this.#follow.exit(here, group, undefined)
    await Promise.all(
      groups.filter((group) => !here.groups.has(group)).map((group) => this.#follow.enter(here, group)),
    )
  }

  /** What puts the node back into a conversation's list, and lets those go who were removed meanwhile. */
  #follows({ conv, users }: LocalConv): (() => Promise<unknown>)[] {
    if (!conv.startsWith('group:')) return [() => this.#heads.attach(conv)]
    const group = conv.slice('group:'.length) as GroupId
    return [...users].map((user) => async () => {
      const here = this.#hub.users.get(user)
      if (here) await this.#follow.enter(here, group)
    })
  }

  /** Tells those to sync whose heads in Redis are ahead of what was forwarded to them. */
  async #compare(concerned: (owner: string) => boolean): Promise<void> {
    const users = [...this.#hub.users.values()].filter((here) => concerned(`user:${here.user}`))
    const convs = [...this.#hub.convs.values()].filter(({ conv }) => concerned(conv))
    const lateUsers = await this.#behind(users, (here) => this.#heads.inboxHead(here.user))
    const lateConvs = await this.#behind(convs, ({ conv }) => this.#heads.convHead(conv))
    if (lateUsers.length + lateConvs.length === 0) return
    this.#log.warn(
      { users: lateUsers.length, convs: lateConvs.length },
      'recovery: the live stream lost something',
    )
    for (const { item, head } of lateUsers) {
      item.forwarded = head as LocalUser['forwarded']
      await this.#putRight(item)
      for (const session of item.sessions)
        session.deliver(encodeFrame({ op: 'resync', within: RESYNC_WITHIN_MS }))
    }
    for (const { item, head } of lateConvs) {
      item.forwarded = head as NonNullable<LocalConv['forwarded']>
      await this.#heads.attach(item.conv)
      this.#tellToSync(item.conv)
    }
  }

  /** @returns those whose head is ahead now and was not forwarded a moment later either */
  async #behind<T extends { forwarded: Position | undefined }>(
    items: T[],
    headOf: (item: T) => Promise<Position | undefined>,
  ) {
    const late: { item: T; head: Position }[] = []
    await each(items, async (item) => {
      const head = await headOf(item)
      if (head !== undefined && isAhead(head, item.forwarded)) late.push({ item, head })
    })
    if (late.length === 0) return late
    await pause(IN_FLIGHT_MS)
    return late.filter(({ item, head }) => isAhead(head, item.forwarded))
  }
}

const everything = () => true
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const isAhead = (head: Position, forwarded: Position | undefined) =>
  forwarded !== undefined && comparePositions(head, forwarded) > 0

async function each<T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    await Promise.all(items.slice(start, start + AT_ONCE).map(work))
  }
}
