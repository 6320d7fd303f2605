/**
 * Starling as it is shipped: gateways, `node src/main.ts`, with their limits on senders out of the way, and one Redis
 * (or a cluster of masters).
 */
import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { startStore } from '../../lib/redis.ts'
import { startServer } from '../../lib/server-process.ts'
import type { Shape, System } from '../system.ts'

const TOKEN_TTL = '4h'
/** Users that one HTTP request may add to a group. */
const MEMBERS_PER_CALL = 500

/** Documented settings: what protects a deployment from its clients must not be what is measured. */
const OPEN_LIMITS = {
  SEND_RATE: '1000000',
  SEND_BURST: '1000000',
  STRANGER_LIMIT: '0',
  CONNECT_RATE: '100000',
}

export async function startStarling(shape: Shape): Promise<System> {
  const { nodes = 2, masters = 1, redisFirst, through, nodeOptions, root } = shape
  const store = await startStore(masters, redisFirst)
  const redisUrl = (await through?.(store.url)) ?? store.url
  const jwtSecret = randomBytes(32).toString('hex')
  const key = new TextEncoder().encode(jwtSecret)
  const gateways = await Promise.all(
    Array.from({ length: nodes }, (_, index) =>
      startServer({
        name: `gw-${index + 1}`,
        script: 'src/main.ts',
        env: {
          NODE_NAME: `gw-${index + 1}`,
          REDIS_URL: redisUrl,
          JWT_SECRET: jwtSecret,
          LOG_LEVEL: 'warn',
          ...OPEN_LIMITS,
        },
        ...(nodeOptions && { nodeOptions }),
        ...(root !== undefined && { root }),
      }),
    ),
  )

  const sign = (user: string) =>
    new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(user).setExpirationTime(TOKEN_TTL).sign(key)

  async function post(user: string, path: string, body: object): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${gateways[0]!.port}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await sign(user)}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  return {
    nodes: gateways,
    store,
    async login(user, node) {
      return { port: gateways[node]!.port, user, token: await sign(user) }
    },
    async makeGroup(users, { isOpen } = { isOpen: false }) {
      const [owner = '', ...others] = users
      const { id } = (await post(owner, '/groups', { name: 'bench', join: isOpen ? 'open' : 'invite' })) as {
        id: string
      }
      for (let at = 0; at < others.length; at += MEMBERS_PER_CALL) {
        await post(owner, `/groups/${id}/members`, { users: others.slice(at, at + MEMBERS_PER_CALL) })
      }
      return `group:${id}`
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.close()))
      await store.close()
    },
  }
}
