/** Whom one follows and whom one blocks. */
import { z } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { json, noContent, userRoute } from '../route.ts'
import { user, userParam } from '../schemas.ts'

const list = userRoute({
  method: 'get',
  path: '/contacts',
  summary: 'Whom one follows and whom one blocks',
  tags: ['contacts'],
  responses: {
    200: json(z.object({ contacts: z.array(user), blocks: z.array(user) }), 'All of them, by id'),
  },
})

const ties = [
  { path: '/contacts/{user}', tie: 'follow', put: 'Follows a user', drop: 'Follows a user no more' },
  { path: '/blocks/{user}', tie: 'block', put: 'Blocks a user', drop: 'Blocks a user no more' },
] as const

export function contactRoutes(api: Api, { contacts }: Pick<HttpDeps, 'contacts'>): void {
  api.openapi(list, async (c) => c.json(await contacts.list(c.var.user), 200))

  for (const { path, tie, put, drop } of ties) {
    const shared = { path, tags: ['contacts'], request: { params: userParam }, responses: noContent }
    api.openapi(userRoute({ ...shared, method: 'put', summary: put }), async (c) => {
      await contacts.tie(c.var.user, tie, c.req.valid('param').user)
      return c.body(null, 204)
    })
    api.openapi(userRoute({ ...shared, method: 'delete', summary: drop }), async (c) => {
      await contacts.untie(c.var.user, tie, c.req.valid('param').user)
      return c.body(null, 204)
    })
  }
}
