/** One's own connections. */
import { z } from '@hono/zod-openapi'
import { SESSION_PATTERN, type SessionId } from '@starling/protocol/ids'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { json, noContent, userRoute } from '../route.ts'
import { session } from '../schemas.ts'

const list = userRoute({
  method: 'get',
  path: '/sessions',
  summary: 'One’s connections',
  tags: ['sessions'],
  responses: { 200: json(z.object({ sessions: z.array(session) }), 'All of them') },
})

const close = userRoute({
  method: 'delete',
  path: '/sessions/{session}',
  summary: 'Closes one of one’s connections with 4003',
  tags: ['sessions'],
  request: {
    params: z.object({ session: z.string().regex(SESSION_PATTERN, 'must be a UUID in lower case') }),
  },
  responses: noContent,
})

export function sessionRoutes(api: Api, { sessions }: Pick<HttpDeps, 'sessions'>): void {
  api.openapi(list, async (c) => c.json({ sessions: await sessions.list(c.var.user) }, 200))
  api.openapi(close, async (c) => {
    await sessions.close(c.var.user, c.req.valid('param').session as SessionId)
    return c.body(null, 204)
  })
}
