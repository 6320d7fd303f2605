/**
 * A cluster of gateways on one Redis under a key prefix of its own, each a process of its own. Knows processes, addresses
 * and secrets; users and their sessions are harness.ts' business.
 */
import { randomBytes } from 'node:crypto'
import { freePort } from '../../scripts/lib/ports.ts'
import { Gateway } from './harness-gateway.ts'
import { type Claims, signToken } from './harness-jwt.ts'

export interface ClusterOptions {
  redisUrl: string
  /** For gateways that have another way to it: the first one's, the second one's, … */
  redisUrls?: readonly (string | undefined)[]
  /** How many gateways; 2 where not given. They are called gw-1, gw-2, … */
  gateways?: number
  /** Settings beyond, or instead of, those every cluster here has. An empty one is left out. */
  env?: Record<string, string>
}

export interface Cluster {
  nodes: Gateway[]
  apiKey: string
  jwtSecret: string
  keyPrefix: string
  /** Signs a token that the gateways must accept; `exp` is an hour ahead where not given. */
  sign(claims: Claims): string
  /** Ends all gateways at once. May be called twice. */
  close(): Promise<void>
}

/** Starts gateways and waits until all are ready. The stranger limit is off where `env` doesn't set it. */
export async function startCluster({
  redisUrl,
  redisUrls = [],
  gateways = 2,
  env = {},
}: ClusterOptions): Promise<Cluster> {
  const jwtSecret = randomBytes(32).toString('hex')
  const apiKey = randomBytes(24).toString('hex')
  const keyPrefix = `t${randomBytes(6).toString('hex')}:`
  const common = {
    REDIS_URL: redisUrl,
    KEY_PREFIX: keyPrefix,
    JWT_SECRET: jwtSecret,
    API_KEY: apiKey,
    STRANGER_LIMIT: '0',
    ...env,
  }

  const nodes: Gateway[] = []
  for (let number = 1; number <= gateways; number++) {
    const [port, tcpPort] = [await freePort(), await freePort()]
    const own = redisUrls[number - 1]
    const settings = own === undefined ? common : { ...common, REDIS_URL: own }
    nodes.push(new Gateway({ name: `gw-${number}`, port, tcpPort, env: settings }))
  }
  const close = async () => {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')))
  }
  try {
    await Promise.all(nodes.map((node) => node.ready()))
  } catch (error) {
    await close()
    throw error
  }
  return { nodes, apiKey, jwtSecret, keyPrefix, sign: (claims) => signToken(claims, jwtSecret), close }
}
