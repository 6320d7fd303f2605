/**
 * Users in Redis: sessions, devices, the inbox, and the lists of their conversations.
 */

import type { SessionInfo } from '@starling/protocol/frames'
import {
  type ConvId,
  type DeviceId,
  type InboxPosition,
  type MessageId,
  type NodeId,
  ORIGIN,
  type SessionId,
  type UserId,
} from '@starling/protocol/ids'
import type { Books, CaughtUp, InboxEntry, InboxPort, NewSession, SessionPort } from '../services/ports.ts'
import type { Batches, BatchOf } from './batches.ts'
import { type Keys, userOwner } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault, type Scripts } from './script.ts'
import { catchUp } from './scripts/user/catch-up.ts'
import { joinUser } from './scripts/user/join.ts'
import { kickSessions } from './scripts/user/kick.ts'
import { leaveUser } from './scripts/user/leave.ts'
import { endPresence } from './scripts/user/offline.ts'
import { readChannel } from './scripts/user/read-channel.ts'
import { noteReceived } from './scripts/user/received.ts'
import { rejoinUser } from './scripts/user/rejoin.ts'
import { releaseUser } from './scripts/user/release.ts'
import { tellUser } from './scripts/user/tell.ts'

export interface UserLimits {
  /** How long an unseen device is remembered, ms. */
  ttlMs: number
  /** Most sessions of one user. */
  sessions: number
}

export class UserStore implements InboxPort, SessionPort {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys
  readonly #node: () => { id: NodeId; name: string }
  readonly #joins: BatchOf<typeof joinUser>
  readonly #leaves: BatchOf<typeof leaveUser>
  readonly #catchUps: BatchOf<typeof catchUp>
  readonly #ends: BatchOf<typeof endPresence>
  readonly #releases: BatchOf<typeof releaseUser>
  readonly #reads: BatchOf<typeof readChannel>

  /** @param deps.node this gateway as the cluster knows it now; its id changes when a lease was lost */
  constructor(deps: {
    redis: RedisClient
    scripts: Scripts
    batches: Batches
    keys: Keys
    node: () => { id: NodeId; name: string }
    limits: UserLimits
  }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
    this.#node = deps.node
    this.#joins = deps.batches.open(joinUser, { max: deps.limits.sessions, forget: deps.limits.ttlMs })
    this.#leaves = deps.batches.open(leaveUser, {})
    this.#catchUps = deps.batches.open(catchUp, {}, 'read')
    this.#ends = deps.batches.open(endPresence, {})
    this.#releases = deps.batches.open(releaseUser, {})
    this.#reads = deps.batches.open(readChannel, {})
  }

  join({ user, session, device, platform, since, name }: NewSession) {
    const { bucket, own, held, online } = this.#owner(user)
    const node = this.#node()
    const info = sessionJson({ session, device, platform, since }, node.name)
    return this.#joins.run(bucket, {
      own,
      held,
      online,
      user,
      session,
      node: node.id,
      device,
      info,
      name: name ?? '',
      now: since,
    })
  }

  leave(user: UserId, session: SessionId) {
    const { bucket, own, held } = this.#owner(user)
    return this.#leaves.run(bucket, { own, held, user, session, node: this.#node().id })
  }

  endPresence(user: UserId, session: SessionId) {
    const { bucket, own, held, online } = this.#owner(user)
    return this.#ends.run(bucket, { own, held, online, user, session, node: this.#node().id })
  }

  release(user: UserId, session: SessionId) {
    const { bucket, own, held } = this.#owner(user)
    return this.#releases.run(bucket, { own, held, user, session, node: this.#node().id })
  }

  rejoin(user: UserId, sessions: NewSession[]) {
    const { own, to, held, online } = this.#owner(user)
    const node = this.#node()
    return this.#scripts.run(
      rejoinUser,
      {
        sessions: `${own}sessions`,
        devices: `${own}devices`,
        state: `${own}state`,
        groups: `${own}groups`,
        held,
        online,
      },
      { user, node: node.id, to },
      sessions.flatMap((session) => [session.session, sessionJson(session, node.name)]),
    )
  }

  async list(user: UserId): Promise<SessionInfo[]> {
    const values = await this.#read((redis) => redis.hvals(`${this.#owner(user).own}sessions`))
    return values.map((value) => JSON.parse(value.slice(value.indexOf(' ') + 1)) as SessionInfo)
  }

  kick(user: UserId, session: SessionId | '*') {
    const { own, to } = this.#owner(user)
    return this.#scripts.run(
      kickSessions,
      { sessions: `${own}sessions`, state: `${own}state` },
      { user, session, to },
    )
  }

  catchUp(user: UserId, after: InboxPosition, count: number): Promise<CaughtUp> {
    const { bucket, own } = this.#owner(user)
    return this.#catchUps.run(bucket, { own, after, count })
  }

  /** A plain read, which for many entries costs Redis a tenth of what a script does. */
  async entries(user: UserId, after: InboxPosition, count: number): Promise<InboxEntry[]> {
    const { own } = this.#owner(user)
    const list = await this.#read((redis) => redis.xrange(`${own}inbox`, `(${after}`, '+', 'COUNT', count))
    return list.map(([position, [id, tail]]) => ({
      position: position as InboxPosition,
      id: id as MessageId,
      tail: tail!,
    }))
  }

  async lastUpTo(user: UserId, position: InboxPosition): Promise<InboxPosition | undefined> {
    const { own } = this.#owner(user)
    const [last] = await this.#read((redis) => redis.xrevrange(`${own}inbox`, position, '-', 'COUNT', 1))
    return last?.[0] as InboxPosition | undefined
  }

  received(user: UserId, device: DeviceId, position: InboxPosition) {
    const { own } = this.#owner(user)
    return this.#scripts.run(
      noteReceived,
      { devices: `${own}devices`, state: `${own}state`, inbox: `${own}inbox` },
      { device, position, now: Date.now() },
    )
  }

  tell(user: UserId, frame: string, except?: SessionId): Promise<void> {
    return this.#tell(user, except ? 'o' : 'f', except ?? '-', frame)
  }

  hint(user: UserId, frame: string): Promise<void> {
    return this.#tell(user, 't', '-', frame)
  }

  readChannel(user: UserId, conv: ConvId, id: MessageId, first: boolean) {
    const { bucket, own } = this.#owner(user)
    return this.#reads.run(bucket, { own, conv, id, first: first ? 1 : 0 })
  }

  async books(user: UserId): Promise<Books> {
    return (await this.catchUp(user, ORIGIN, 0)).books
  }

  async devicePosition(user: UserId, device: DeviceId): Promise<InboxPosition | undefined> {
    const value = await this.#read((redis) => redis.hget(`${this.#owner(user).own}devices`, device))
    return value?.slice(0, value.indexOf(' ')) as InboxPosition | undefined
  }

  async head(user: UserId): Promise<InboxPosition> {
    const head = await this.#read((redis) => redis.hget(`${this.#owner(user).own}state`, 'head'))
    return (head ?? ORIGIN) as InboxPosition
  }

  async #tell(user: UserId, kind: 'f' | 'o' | 't', mark: string, frame: string): Promise<void> {
    const { own, to } = this.#owner(user)
    await this.#scripts.run(
      tellUser,
      { state: `${own}state` },
      { to, kind, topic: userOwner(user), mark, frame },
    )
  }

  #owner(user: UserId) {
    const owner = userOwner(user)
    const bucket = this.#keys.bucketOf(owner)
    const start = this.#keys.bucket(bucket)
    return {
      bucket,
      own: `${start}${owner}:`,
      to: this.#keys.toInBucket(bucket),
      held: this.#keys.held(bucket, this.#node().id),
      online: this.#keys.online(bucket),
    }
  }

  async #read<T>(command: (redis: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await command(this.#redis)
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}

function sessionJson({ session, device, platform, since }: Omit<SessionInfo, 'node'>, node: string): string {
  return JSON.stringify({ session, device, platform, node, since } satisfies SessionInfo)
}
