/**
 * A Redis Cluster for tests: processes on free ports of loopback, slots spread, replicas in sync. A node can be killed,
 * and comes back at its address as what the others then take it for.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../scripts/lib/ports.ts'
import {
  findRedisServer,
  type Launch,
  type RedisServer,
  startRedisServer,
} from '../../scripts/lib/redis-server.ts'

export interface ClusterOptions {
  /** 3 where not given; fewer than 3 can't decide on a failover. */
  masters?: number
  /** 0 where not given. */
  replicasPerMaster?: number
  /** Of each Redis, besides what makes it one of a cluster. */
  settings?: Record<string, string | string[]>
}

export interface ClusterNode {
  port: number
  pid: number
  /** What it was when the cluster started. */
  role: 'master' | 'replica'
  /** Ends it at once (SIGKILL), and waits until it is gone. */
  kill(): Promise<void>
  /** Starts it again after `kill`, with its data, at the same port. */
  up(): Promise<void>
  pause(): void
  resume(): void
}

export interface RedisCluster {
  /** As REDIS_URL takes it: `redis+cluster://127.0.0.1:p1,127.0.0.1:p2,…`. */
  url: string
  /** Masters first. */
  nodes: ClusterNode[]
  /** Until all living nodes call the cluster ok, and replicas are in sync. */
  settled(): Promise<void>
  /** Ends all nodes, and their data with them. May be called twice. */
  stop(): Promise<void>
}

const SLOTS = 16_384

/** A master that is silent for so long is failed over. Low, so that tests need not wait; a loaded machine holds it, ms. */
const NODE_TIMEOUT_MS = 2_000

/** From starting to a cluster that works, ms. */
const SETTLE_MS = 30_000
const LOOK_EVERY_MS = 50

export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicasPerMaster = 0, settings = {} } = options
  const launch = findRedisServer()
  if (!launch)
    throw new Error('No redis-server (7.0 or later) here: install it, or use `npm test`, which does so')
  const dir = mkdtempSync(join(tmpdir(), 'starling-cluster-'))
  const nodes: Node[] = []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    for (let index = 0; index < masters * (1 + replicasPerMaster); index++) {
      const role = index < masters ? 'master' : 'replica'
      nodes.push(await Node.start(launch, join(dir, String(index)), { role, settings }))
    }
    await joinNodes(nodes, masters)
    await settled(nodes)
  } catch (fault) {
    await stop()
    throw fault
  }
  const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  return { url, nodes, settled: () => settled(nodes), stop }
}

class Node implements ClusterNode {
  readonly role: 'master' | 'replica'
  readonly busPort: number
  readonly #up: (port?: number) => Promise<RedisServer>
  #server: RedisServer

  private constructor(
    role: 'master' | 'replica',
    busPort: number,
    server: RedisServer,
    up: (port?: number) => Promise<RedisServer>,
  ) {
    this.role = role
    this.busPort = busPort
    this.#server = server
    this.#up = up
  }

  static async start(
    launch: Launch,
    dir: string,
    { role, settings: given }: { role: 'master' | 'replica'; settings: Record<string, string | string[]> },
  ): Promise<Node> {
    mkdirSync(dir)
    const busPort = await freePort()
    const settings = {
      ...given,
      dir,
      'cluster-enabled': 'yes',
      // The default, port + 10000, is often no port at all.
      'cluster-port': String(busPort),
      'cluster-node-timeout': String(NODE_TIMEOUT_MS),
      appendonly: 'yes',
      save: '',
      'repl-diskless-sync-delay': '0',
    }
    const up = (port?: number) => startRedisServer(launch, settings, port)
    return new Node(role, busPort, await up(), up)
  }

  get port(): number {
    return this.#server.port
  }

  get pid(): number {
    return this.#server.child.process.pid ?? 0
  }

  get alive(): boolean {
    const { exitCode, signalCode } = this.#server.child.process
    return exitCode === null && signalCode === null
  }

  async kill(): Promise<void> {
    this.#server.child.process.kill('SIGKILL')
    await this.#server.child.ended
  }

  async up(): Promise<void> {
    this.#server = await this.#up(this.port)
  }

  pause(): void {
    this.#server.child.process.kill('SIGSTOP')
  }

  resume(): void {
    this.#server.child.process.kill('SIGCONT')
  }

  /** Says something to this node, over a connection for this alone. */
  async say<Answer>(talk: (redis: Redis) => Promise<Answer>): Promise<Answer> {
    const redis = new Redis(this.port, '127.0.0.1', { maxRetriesPerRequest: 1 })
    try {
      return await talk(redis)
    } finally {
      redis.disconnect()
    }
  }
}

/** Makes one cluster of the nodes: slots to the masters in even parts, replicas to the masters in turn. */
async function joinNodes(nodes: Node[], masters: number): Promise<void> {
  const [first, ...others] = nodes
  const ids = await Promise.all(nodes.map((node) => node.say((redis) => redis.cluster('MYID'))))
  await Promise.all(
    nodes.map((node, index) =>
      node.say(async (redis) => {
        // Each an epoch of its own, or they would have to settle a collision first.
        await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
        if (index >= masters) return
        const [from, to] = [
          Math.floor((index * SLOTS) / masters),
          Math.floor(((index + 1) * SLOTS) / masters) - 1,
        ]
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      }),
    ),
  )
  await first?.say(async (redis) => {
    for (const { port, busPort } of others) await redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)
  })
  for (const [index, node] of nodes.entries()) {
    if (index < masters) continue
    // It must have heard of its master first.
    const master = ids[index % masters]!
    await until(() => node.say(async (redis) => (await redis.call('CLUSTER', 'REPLICATE', master)) === 'OK'))
  }
}

/** Waits until every living node knows all others, calls the cluster ok and, as a replica, is in sync. */
async function settled(nodes: Node[]): Promise<void> {
  const living = nodes.filter((node) => node.alive)
  await Promise.all(
    living.map((node) =>
      until(() =>
        node.say(async (redis) => {
          const [cluster, replication] = [
            String(await redis.cluster('INFO')),
            await redis.info('replication'),
          ]
          const complete = cluster.includes(`cluster_known_nodes:${nodes.length}\r`)
          const synced = !replication.includes('role:slave') || replication.includes('master_link_status:up')
          return complete && cluster.includes('cluster_state:ok') && synced
        }),
      ),
    ),
  )
}

/** Asks again and again, errors counting as no; Redis tells nobody when its cluster has settled. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + SETTLE_MS
  let fault: unknown
  while (Date.now() < deadline) {
    const answer = await holds().catch((error: unknown) => {
      fault = error
      return false
    })
    if (answer) return
    await sleep(LOOK_EVERY_MS)
  }
  throw new Error(`the Redis Cluster did not settle within ${SETTLE_MS / 1000} s`, { cause: fault })
}
