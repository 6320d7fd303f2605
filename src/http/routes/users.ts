/** Profiles: one's own, those of others, and finding people. */
import { z } from '@hono/zod-openapi'
import { USERS_PER_QUERY } from '@starling/protocol/limits'
import { label, userId } from '@starling/protocol/schemas'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { body, json, listOf, userRoute } from '../route.ts'
import { user, userName } from '../schemas.ts'

const MAX_AVATAR = 2_048
const MAX_SEARCH = 64

const me = userRoute({
  method: 'get',
  path: '/me',
  summary: 'Who one is',
  tags: ['users'],
  responses: { 200: json(user, 'One’s own profile') },
})

const updateMe = userRoute({
  method: 'patch',
  path: '/me',
  summary: 'Changes one’s profile; null takes a field away',
  tags: ['users'],
  request: {
    body: body(
      z.object({ name: userName.nullable().optional(), avatar: label(MAX_AVATAR).nullable().optional() }),
    ),
  },
  responses: { 200: json(user, 'The profile as it is now') },
})

const users = z.object({ users: z.array(user) })

const byIds = userRoute({
  method: 'get',
  path: '/users',
  summary: 'Profiles of some users',
  tags: ['users'],
  request: { query: z.object({ ids: listOf(userId, USERS_PER_QUERY) }) },
  responses: { 200: json(users, 'Those of them who have one') },
})

const search = userRoute({
  method: 'get',
  path: '/users/search',
  summary: 'Finds users by how their id or name starts, in any case; at most 20',
  tags: ['users'],
  request: { query: z.object({ q: label(MAX_SEARCH) }) },
  responses: { 200: json(users, 'Those found') },
})

export function userRoutes(api: Api, { accounts }: Pick<HttpDeps, 'accounts'>): void {
  api.openapi(me, async (c) => c.json(await accounts.me(c.var.user, c.var.tokenName), 200))
  api.openapi(updateMe, async (c) => {
    return c.json(await accounts.update(c.var.user, c.var.tokenName, c.req.valid('json')), 200)
  })
  api.openapi(byIds, async (c) => c.json({ users: await accounts.users(c.req.valid('query').ids) }, 200))
  api.openapi(search, async (c) => c.json({ users: await accounts.search(c.req.valid('query').q) }, 200))
}
