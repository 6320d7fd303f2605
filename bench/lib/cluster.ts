/**
 * The system under test: one Redis and two gateways, fresh for each scenario, so that no scenario pays for what
 * an earlier one has left behind. Knows how to sign its users in and how to make a group.
 */
import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Login } from '../load/login.ts'
import type { Watched } from './cpu.ts'
import { type GatewayProcess, startGateway } from './gateway.ts'
import { startRedis } from './redis.ts'

const TOKEN_TTL = '1h'
/** Users that one HTTP request may add to a group. */
const MEMBERS_PER_CALL = 500

export interface Cluster {
  readonly gateways: readonly [GatewayProcess, GatewayProcess]
  /** The processes whose CPU time is the system's. */
  readonly processes: readonly Watched[]
  /** @returns what a load generator needs to be this user on one of the gateways */
  login(user: string, gateway: 0 | 1): Promise<Login>
  /** Makes a group. @returns its target */
  makeGroup(users: readonly string[]): Promise<string>
  /** @returns what went wrong in the gateways, in their own words */
  complaints(): string[]
  close(): Promise<void>
}

/**
 * Starts a cluster, works with it and ends it. A failure brings along what the gateways had to say.
 * @param nodeOptions options of Node for the gateways, for profiles
 */
export async function withCluster<Result>(
  work: (cluster: Cluster) => Promise<Result>,
  nodeOptions?: readonly string[],
): Promise<Result> {
  const cluster = await startCluster(nodeOptions)
  try {
    return await work(cluster)
  } catch (fault) {
    const message = fault instanceof Error ? fault.message : String(fault)
    throw new Error([message, ...cluster.complaints()].join('\n'), { cause: fault })
  } finally {
    await cluster.close()
  }
}

async function startCluster(nodeOptions?: readonly string[]): Promise<Cluster> {
  const redis = await startRedis()
  const jwtSecret = randomBytes(32).toString('hex')
  const key = new TextEncoder().encode(jwtSecret)
  const start = (name: string) =>
    startGateway({ name, redisUrl: redis.url, jwtSecret, ...(nodeOptions && { nodeOptions }) })
  const gateways = await Promise.all([start('gw-1'), start('gw-2')])

  const sign = (user: string) =>
    new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(user).setExpirationTime(TOKEN_TTL).sign(key)

  async function post(user: string, path: string, body: object): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${gateways[0].port}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await sign(user)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  return {
    gateways,
    processes: [
      ...gateways.map(({ name, pid }): Watched => ({ name, pid, role: 'gateway' })),
      { name: 'redis', pid: redis.pid, role: 'store' },
    ],
    async login(user, gateway) {
      return { port: gateways[gateway].port, user, token: await sign(user) }
    },
    async makeGroup(users) {
      const [owner = '', ...others] = users
      const { id } = (await post(owner, '/groups', { name: 'bench' })) as { id: string }
      for (let at = 0; at < others.length; at += MEMBERS_PER_CALL) {
        await post(owner, `/groups/${id}/members`, { users: others.slice(at, at + MEMBERS_PER_CALL) })
      }
      return `group:${id}`
    },
    complaints: () =>
      gateways
        .filter(({ hasExited, tail }) => hasExited || tail !== '')
        .map(({ name, hasExited, tail }) => `${name} ${hasExited ? 'died' : 'says'}: ${tail.trim()}`),
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.close()))
      await redis.close()
    },
  }
}
