/**
 * The stores on a real Redis, single or cluster, under a key prefix of their own, and an ear at the channels of
 * nodes: what the scripts keep, and whom they tell. Which Redis it is, is the caller's business.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import type { EventBody } from '@starling/protocol/frames'
import {
  type ConvId,
  type DeviceId,
  dmOf,
  type GroupId,
  groupConv,
  type NodeId,
  type Ref,
  type SessionId,
  type UserId,
} from '@starling/protocol/ids'
import { REF_TTL_MS } from '@starling/protocol/limits'
import { Cluster, type Redis } from 'ioredis'
import { pino } from 'pino'
import { readEntries } from '../../src/bus/envelope.ts'
import { createPlacement, type Placement } from '../../src/bus/placement.ts'
import { readConfig } from '../../src/config.ts'
import { eventTail, eventTailAround, messageTail, needleOf } from '../../src/services/message-json.ts'
import type { Draft, NewSession } from '../../src/services/ports.ts'
import { Batches } from '../../src/store/batches.ts'
import { ConvStore } from '../../src/store/conv-store.ts'
import { DmStore } from '../../src/store/dm-store.ts'
import { createDurability } from '../../src/store/durability.ts'
import { GroupStore } from '../../src/store/group-store.ts'
import { Keys } from '../../src/store/keys.ts'
import { NodeStore } from '../../src/store/node-store.ts'
import { OnlineStore } from '../../src/store/online-store.ts'
import { createCommandClient, type RedisClient } from '../../src/store/redis.ts'
import { Scripts } from '../../src/store/script.ts'
import { UserStore } from '../../src/store/user-store.ts'

export const DAY_MS = 24 * 3_600_000
export const silent = pino({ level: 'silent' })
const retention = { maxlen: 10_000, ttlMs: 30 * DAY_MS }

/** How REDIS_URL says where Redis is. */
export const redisTargetOf = (url: string) =>
  readConfig({ REDIS_URL: url, JWT_SECRET: 'x'.repeat(32) }).REDIS_URL

const fresh = (name: string) => `${name}-${randomBytes(4).toString('hex')}`
/** Somebody, some group, some node that nobody has met. */
export const someone = (name = 'u') => fresh(name) as UserId
export const someGroup = () => fresh('g') as GroupId
export const someNode = () => `${fresh('n')}~${randomBytes(4).toString('hex')}` as NodeId
export const someDevice = () => randomUUID() as string as DeviceId

/** One entry that a node was told. */
export interface Heard {
  kind: string
  topic: string
  mark: string
  frame: string
}

/** What one node hears on one line. */
export class Ear {
  readonly #client: Redis
  readonly #mark: (entry: string) => Promise<unknown>
  #entries: Heard[] = []
  #marks = 0
  readonly #waiting = new Map<string, () => void>()

  constructor(client: Redis, channel: string, commands: RedisClient) {
    this.#client = client
    this.#mark = (entry) => commands.spublish(channel, entry)
    // A slot that moves away ends its subscriptions unasked, which the library takes for a fault.
    client.on('error', () => {})
    client.on('smessageBuffer', (_channel: Buffer, payload: Buffer) => {
      for (const { kind, topic, mark, frame } of readEntries(payload)) {
        if (kind === 'k') this.#waiting.get(mark)?.()
        else this.#entries.push({ kind, topic, mark, frame: frame.toString() })
      }
    })
  }

  /** @returns what came since the last call; complete, since a mark goes behind everything before it */
  async heard(): Promise<Heard[]> {
    const mark = `0/${++this.#marks}`
    const came = new Promise<void>((resolve) => this.#waiting.set(mark, resolve))
    await this.#mark(`k - ${mark} 0\n`)
    await came
    return this.#entries.splice(0)
  }

  close(): void {
    this.#client.disconnect()
  }
}

export class StoreWorld {
  readonly redis: RedisClient
  readonly keys: Keys
  readonly scripts: Scripts
  readonly batches: Batches
  readonly convs: ConvStore
  readonly dms: DmStore
  readonly groups: GroupStore
  readonly online: OnlineStore
  readonly nodes: NodeStore
  readonly placement: Placement
  readonly #ears: Ear[] = []

  private constructor(url: string, redis: RedisClient, prefix: string) {
    this.redis = redis
    this.keys = new Keys(prefix, 1024, redis instanceof Cluster ? 1024 : 1)
    this.scripts = new Scripts(redis)
    const { scripts, keys } = this
    this.batches = new Batches({ redis, keys: this.keys, durability: createDurability('async', redis) })
    this.convs = this.convsWith({})
    this.dms = this.dmsWith({})
    this.groups = this.groupsAt(someNode())
    this.online = new OnlineStore({ redis, scripts, keys })
    this.nodes = new NodeStore({ redis, scripts, keys })
    this.placement = createPlacement(redisTargetOf(url), keys, redis)
  }

  /** @param prefix of the keys of a running cluster; one of its own where not given */
  static async open(url: string, prefix = `${fresh('t')}:`): Promise<StoreWorld> {
    const redis = createCommandClient(redisTargetOf(url), silent)
    await redis.connect()
    return new StoreWorld(url, redis, prefix)
  }

  close(): void {
    for (const ear of this.#ears) ear.close()
    this.redis.disconnect()
  }

  convsWith({ maxlen = retention.maxlen }): ConvStore {
    const { redis, scripts, batches, keys } = this
    return new ConvStore({ redis, scripts, batches, keys, limits: { maxlen, ttlMs: retention.ttlMs } })
  }

  dmsWith({ strangerLimit = 3, inbox = retention.maxlen }): DmStore {
    const { redis, batches, keys } = this
    const limits = { log: retention.maxlen, inbox, ttlMs: retention.ttlMs, strangerLimit }
    return new DmStore({ redis, batches, keys, limits })
  }

  /** The groups as a node changes them. */
  groupsAt(node: NodeId): GroupStore {
    const { redis, scripts, keys } = this
    const limits = { log: retention, inbox: retention }
    return new GroupStore({ redis, scripts, keys, node: () => node, limits })
  }

  /** The users as a node sees them. */
  usersAt(node: NodeId, { sessions = 16 } = {}): UserStore {
    const { redis, scripts, batches, keys } = this
    const limits = { ttlMs: retention.ttlMs, sessions }
    return new UserStore({ redis, scripts, batches, keys, node: () => ({ id: node, name: 'gw' }), limits })
  }

  /** The name of an owner's key. */
  key(owner: string, name: string): string {
    return `${this.keys.owner(owner)}${name}`
  }

  /** The nodes that are told of a conversation or of a user, `user:<id>`. */
  async nodesOf(owner: string): Promise<string[]> {
    const noted = await this.redis.hget(this.key(owner, 'state'), 'nodes')
    return noted?.split(' ').filter((node) => node !== '') ?? []
  }

  async isOnline(user: UserId): Promise<boolean> {
    return (await this.online.among([user])).has(user)
  }

  /** The keys under which a conversation remembers refs: of this stretch of time and of those around it. */
  async refsOf(conv: string): Promise<string[]> {
    const now = Math.floor(Date.now() / REF_TTL_MS + this.keys.bucketOf(conv) * 0.618034)
    const keys = [now - 1, now, now + 1].map((stretch) => this.key(conv, `refs:${stretch}`))
    const there = await Promise.all(keys.map((key) => this.redis.exists(key)))
    return keys.filter((_, index) => there[index] === 1)
  }

  /** Makes it so many stretches of time ago that a conversation's only message came. */
  async age(conv: string, by: number): Promise<void> {
    const [refs = ''] = await this.refsOf(conv)
    const stretch = Number(refs.slice(refs.lastIndexOf(':') + 1))
    const [state, aged] = [this.key(conv, 'state'), String(stretch - by)]
    const [ms, seq] = (await this.redis.hget(state, 'head'))!.split('-')
    await this.redis.rename(refs, this.key(conv, `refs:${aged}`))
    await this.redis.hset(state, 'head', `${Number(ms) - by * REF_TTL_MS}-${seq}`, 'refs', aged)
  }

  /** Has a conversation remember no ref, as after a while. @throws Error where it remembered none */
  async forgetRefs(conv: string): Promise<void> {
    const refs = await this.refsOf(conv)
    if (refs.length === 0) throw new Error(`${conv} remembers no ref`)
    await Promise.all(refs.map((key) => this.redis.del(key)))
  }

  /** Listens where a node is told of an owner, or of several that lie on one master: on one line, as a node does. */
  async ear(node: NodeId, ...owners: [string, ...string[]]): Promise<Ear> {
    const address = (await this.placement.locate())[this.keys.feedOf(owners[0])]!
    const client = this.placement.open(address)
    await client.connect()
    const channelOf = (owner: string) => `${this.keys.to(owner)}${node}`
    for (const owner of owners) await client.ssubscribe(channelOf(owner))
    const ear = new Ear(client, channelOf(owners[0]), this.redis)
    this.#ears.push(ear)
    return ear
  }

  /** Makes a group; the owner is the first of its members. */
  async group(owner: UserId, members: UserId[] = [], about: { join?: 'open'; history?: 'all' } = {}) {
    const group = someGroup()
    const users = [owner, ...members]
    const event: EventBody = { type: 'event', event: 'member_joined', users, by: owner }
    const made = await this.groups.create(
      group,
      owner,
      { name: 'a group', intro: '', icon: '', join: 'invite', history: 'joined', ...about },
      members,
      eventTail(groupConv(group), owner, event),
    )
    if (made.is !== 'ok') throw new Error('the group exists')
    return { group, conv: groupConv(group), id: made.id }
  }

  add(group: GroupId, by: UserId, users: UserId[]) {
    const around = eventTailAround(groupConv(group), by, (list) => {
      return { type: 'event', event: 'member_joined', users: list, by }
    })
    return this.groups.add(group, by, users, around)
  }

  remove(group: GroupId, by: UserId, user: UserId) {
    const event: EventBody = { type: 'event', event: 'member_removed', users: [user], by }
    return this.groups.remove(group, by, user, eventTail(groupConv(group), by, event))
  }

  /** Moves the last id of a conversation or inbox ahead, as if Redis' clock had run fast. */
  async setHead(owner: string, head: string): Promise<void> {
    await this.redis.hset(this.key(owner, 'state'), 'head', head)
  }
}

/** A message on its way. */
export function draftOf(
  conv: ConvId,
  from: UserId,
  { ref = randomUUID() as string, text = 'hello', retry = false } = {},
): Draft {
  const needle = needleOf(conv, from, ref)
  const tail = messageTail(needle, JSON.stringify({ type: 'text', text }), {})
  return { conv, from, ref: ref as Ref, retry, needle, tail }
}

export const dmDraft = (from: UserId, to: UserId, more: Parameters<typeof draftOf>[2] = {}) =>
  draftOf(dmOf(from, to), from, more)

/** A connection about to become a session. */
export function sessionOf(user: UserId, more: Partial<NewSession> = {}): NewSession {
  return {
    user,
    session: randomUUID() as string as SessionId,
    device: someDevice(),
    platform: 'test',
    since: Date.now(),
    name: undefined,
    ...more,
  }
}

/** The member of a union whose tag can be `ok`. */
type Ok<T> = T extends { is: infer Is } ? ('ok' extends Is ? T : never) : never

/** @returns an outcome that must be `ok` */
export function ok<T extends { is: string }>(outcome: T): Ok<T> {
  if (outcome.is !== 'ok') throw new Error(`not ok but ${JSON.stringify(outcome)}`)
  return outcome as Ok<T>
}
