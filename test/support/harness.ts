/**
 * The domain's words for tests: users of a cluster, their sessions, groups and HTTP calls. Starts what a test
 * needs and ends it with the test or the file that asked for it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, inject, vi } from 'vitest'
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts'
import type { Client } from './harness-client.ts'
import type { Gateway } from './harness-gateway.ts'
import { type Answer, HttpSide } from './harness-http.ts'
import { type Claims, signToken } from './harness-jwt.ts'
import { TcpClient } from './harness-tcp.ts'
import { WireClient, type WireOptions } from './wire-client.ts'

// Tests that start gateways of their own wait for processes; every single frame is waited for 15 s at most.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

export interface ConnectOptions {
  /** A device of its own where not given. */
  device?: string
  platform?: string
  inbox?: string
  /** A fresh one where not given. */
  token?: string
  wire?: WireOptions
}

/** A group as its creation answered it. */
export interface Group {
  id: string
  conv: string
  target: string
  created: Answer<GroupResource>
}

export interface GroupResource {
  id: string
  name: string
  intro: string
  icon: string
  owner: string
  members: number
  join: string
  history: string
  createdAt: number
}

/** The conversation of two users, as the page names it. */
export const dmOf = (one: { id: string }, other: { id: string }) =>
  one.id <= other.id ? `dm:${one.id}:${other.id}` : `dm:${other.id}:${one.id}`

/** The dense part of an id or inbox position. */
export const seqOf = (position: string) => Number(position.split('-')[1])

/** The time of an id or inbox position, Unix ms. */
export const msOf = (position: string) => Number(position.split('-')[0])

/** Asks again every 50 ms, for what no frame tells. @returns the first answer that is neither false nor undefined */
export async function until<Found>(
  check: () => Promise<Found | false | undefined>,
  withinMs: number,
  what: string,
): Promise<Found> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const found = await check()
    if (found !== false && found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/**
 * Sends until a message comes live at the listener. One that doesn't come must have been announced by a `resync`: that
 * is how the gateway says what it knows to be lost (P4).
 */
export async function reachesLive(from: Client, to: { target: string }, listener: Client): Promise<void> {
  const outcome = async () => {
    const told = listener.seen('resync').length
    const { id, conv } = await from.send(to, 'is this live?')
    const seesLive = () => listener.seen('message', { id, conv }).length > 0
    const isTold = () => listener.seen('resync').length > told
    await until(async () => seesLive() || isTold(), 10_000, `message ${id} of ${conv} live, or a resync`)
    return seesLive()
  }
  await until(outcome, 20_000, `a message to ${to.target} live`)
}

/** A user of a cluster, with or without sessions. */
export class User {
  readonly id: string
  readonly #world: World

  constructor(world: World, id: string) {
    this.#world = world
    this.id = id
  }

  get target(): string {
    return `user:${this.id}`
  }

  token(claims: Claims = {}): string {
    return this.#world.sign({ sub: this.id, ...claims })
  }

  /** Opens a session: connects, says hello, waits for the welcome. */
  async connect(node?: Gateway, { wire, ...hello }: ConnectOptions = {}): Promise<WireClient> {
    const client = await this.#world.open(node, wire)
    await client.hello({ token: this.token(), device: randomUUID(), ...hello })
    return client
  }

  /** The same over raw TCP. */
  async connectTcp(node?: Gateway, hello: Omit<ConnectOptions, 'wire'> = {}): Promise<TcpClient> {
    const client = await this.#world.openTcp(node)
    await client.hello({ token: this.token(), device: randomUUID(), ...hello })
    return client
  }

  /** This user's HTTP calls, to the first gateway where none is given. */
  http(node?: Gateway): HttpSide {
    return this.#world.http(() => this.token(), node)
  }

  /** Creates a group that this user owns. */
  async createGroup(fields: { members?: { id: string }[]; [field: string]: unknown } = {}): Promise<Group> {
    const created = await this.http().post<GroupResource>('/groups', {
      name: 'a group',
      ...fields,
      ...(fields.members && { members: fields.members.map((member) => member.id) }),
    })
    if (created.status !== 201)
      throw new Error(`no group but ${created.status} ${JSON.stringify(created.body)}`)
    const { id } = created.body
    return { id, conv: `group:${id}`, target: `group:${id}`, created }
  }
}

/** A running cluster and everybody in it. */
export class World {
  readonly cluster: Cluster
  readonly #lines = new Set<Client>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  static async start(options: Partial<ClusterOptions> = {}): Promise<World> {
    return new World(await startCluster({ redisUrl: inject('redisUrl'), ...options }))
  }

  get gw1(): Gateway {
    return this.cluster.nodes[0]!
  }

  get gw2(): Gateway {
    return this.cluster.nodes[1]!
  }

  /** The server API, with the key. */
  get server(): HttpSide {
    return this.http(() => this.cluster.apiKey)
  }

  /** Everything every gateway has written so far. */
  get output(): string {
    return this.cluster.nodes.map((node) => node.output).join('')
  }

  /** Somebody nobody has met: the name gets a part that is new at every call. */
  user(name: string): User {
    return new User(this, `${name}-${randomBytes(4).toString('hex')}`)
  }

  userCalled(id: string): User {
    return new User(this, id)
  }

  /** Tokens as the gateways must accept them; `key` and `header` for those they must not. */
  sign(claims: Claims, key: string = this.cluster.jwtSecret, header: { alg?: string } = {}): string {
    return signToken(claims, key, header)
  }

  http(bearer: () => string | undefined, node: Gateway = this.gw1): HttpSide {
    return new HttpSide(`${node.url}/api/v1`, bearer)
  }

  /** A connection on which nothing has been said yet. */
  async open(node: Gateway = this.gw1, options: WireOptions = {}): Promise<WireClient> {
    const client = await WireClient.open(node.wsUrl, options)
    this.#lines.add(client)
    return client
  }

  async openTcp(node: Gateway = this.gw1): Promise<TcpClient> {
    const client = await TcpClient.open(node.tcpPort)
    this.#lines.add(client)
    return client
  }

  /** Ends sessions and gateways. @throws where a gateway had already ended without having been told to */
  async close(): Promise<void> {
    for (const line of this.#lines) line.drop()
    const notes = this.cluster.nodes.flatMap((node) => node.deathNote ?? [])
    await this.cluster.close()
    if (notes.length > 0) throw new Error(notes.join('\n'))
  }
}

/** A cluster for all tests of a file: call it at the file's top, with `await`. It ends after the last of them. */
export async function useWorld(options: Partial<ClusterOptions> = {}): Promise<World> {
  const world = await World.start(options)
  afterAll(() => world.close())
  return world
}

/**
 * A cluster for one test.
 * @param onTestFinished the test's own, from its context
 */
export async function worldFor(
  { onTestFinished }: { onTestFinished: (end: () => Promise<void>) => void },
  options: Partial<ClusterOptions> = {},
): Promise<World> {
  const world = await World.start(options)
  onTestFinished(() => world.close())
  return world
}
