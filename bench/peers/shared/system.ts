/**
 * Starts a peer: its servers and, where it needs one, its Redis. Groups need no making: a peer's token says them.
 */
import { randomBytes } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { startStore } from '../../lib/redis.ts'
import { startServer } from '../../lib/server-process.ts'
import type { Shape, System } from '../system.ts'

export interface PeerProcess {
  /** From the root of the tree. */
  script: string
  env?: Record<string, string>
  usesRedis: boolean
}

export async function startPeer(
  { script, env, usesRedis }: PeerProcess,
  { nodes = 2, nodeOptions }: Shape,
): Promise<System> {
  const store = usesRedis ? await startStore(1) : undefined
  const secret = randomBytes(32).toString('hex')
  const servers = await Promise.all(
    Array.from({ length: nodes }, (_, index) =>
      startServer({
        name: `server-${index + 1}`,
        script,
        env: { NODE_ENV: 'production', JWT_SECRET: secret, REDIS_URL: store?.url ?? '', ...env },
        ...(nodeOptions && { nodeOptions }),
      }),
    ),
  )
  let groups = 0
  return {
    nodes: servers,
    store,
    login: async (user, node, joined = []) => ({
      port: servers[node]!.port,
      user,
      groups: joined,
      token: jwt.sign({ sub: user, ...(joined.length > 0 && { groups: joined }) }, secret, {
        expiresIn: '4h',
      }),
    }),
    makeGroup: async () => `group:${++groups}`,
    async close() {
      await Promise.all(servers.map((server) => server.close()))
      await store?.close()
    },
  }
}
