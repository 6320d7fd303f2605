/** Who is online: some users, or everybody. */
import { z } from '@hono/zod-openapi'
import { USERS_PER_QUERY } from '@starling/protocol/limits'
import { userId } from '@starling/protocol/schemas'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { json, listOf, userRoute } from '../route.ts'
import { cursor, page } from '../schemas.ts'

const ids = z.array(z.string())

const of = userRoute({
  method: 'get',
  path: '/presence',
  summary: 'Which of some users are online',
  tags: ['presence'],
  request: { query: z.object({ users: listOf(userId, USERS_PER_QUERY) }) },
  responses: {
    200: json(z.object({ presence: z.object({ on: ids, off: ids }) }), 'Each in one of the lists'),
  },
})

const online = userRoute({
  method: 'get',
  path: '/presence/online',
  summary: 'Everybody who is online',
  tags: ['presence'],
  request: { query: page },
  responses: {
    200: json(
      z.object({ users: z.array(z.object({ id: z.string(), name: z.string() })), total: z.number(), cursor }),
      'A page; nobody comes twice',
    ),
  },
})

export function presenceRoutes(
  api: Api,
  { presence, accounts }: Pick<HttpDeps, 'presence' | 'accounts'>,
): void {
  api.openapi(of, async (c) => {
    const users = [...new Set(c.req.valid('query').users)]
    return c.json({ presence: await presence.of(users) }, 200)
  })
  api.openapi(online, async (c) => {
    const { users, ...more } = await presence.page(c.req.valid('query'))
    const named = (await accounts.named(users)).map(({ id, name }) => ({ id, name }))
    return c.json({ users: named, ...more }, 200)
  })
}
