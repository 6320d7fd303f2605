/** What other servers may do with the API key: tokens, messages from the system, closing sessions, figures. */
import { z } from '@hono/zod-openapi'
import { ProtocolError } from '@starling/protocol/errors'
import { SYSTEM, type Target } from '@starling/protocol/ids'
import { PUSH_TARGETS } from '@starling/protocol/limits'
import { body as messageBody, ref, target, userId } from '@starling/protocol/schemas'
import type { Outgoing } from '../../services/messaging.ts'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { body, json, noContent, serverRoute } from '../route.ts'
import { errorAnswer, idParam, userName } from '../schemas.ts'

const DAY_SECONDS = 86_400
const MAX_TTL_SECONDS = 30 * DAY_SECONDS

const tokens = serverRoute({
  method: 'post',
  path: '/tokens',
  summary: 'Signs a token for a user',
  tags: ['server'],
  request: {
    body: body(
      z.object({
        user: userId.refine((id) => id !== SYSTEM, 'nobody signs in as system'),
        name: userName.optional(),
        ttl: z.int().min(1).max(MAX_TTL_SECONDS).default(DAY_SECONDS).openapi({ description: 'seconds' }),
      }),
    ),
  },
  responses: {
    200: json(
      z.object({ token: z.string(), exp: z.number().openapi({ description: 'Unix seconds' }) }),
      'A JWT',
    ),
  },
})

const pushed = z.object({
  to: z.string(),
  conv: z.string().optional(),
  id: z.string().optional(),
  dup: z.boolean().optional(),
  error: errorAnswer.shape.error.optional(),
})

const push = serverRoute({
  method: 'post',
  path: '/push',
  summary: 'Sends one message to many targets; limits, blocks and membership bind `from`, but not `system`',
  tags: ['server'],
  request: {
    body: body(
      z.object({
        from: userId.default(SYSTEM),
        to: z.array(target).max(PUSH_TARGETS),
        body: messageBody,
        ref,
      }),
    ),
  },
  responses: { 200: json(z.object({ results: z.array(pushed) }), 'One result per target, in order') },
})

const closeSessions = serverRoute({
  method: 'delete',
  path: '/users/{id}/sessions',
  summary: 'Closes all connections of a user with 4003',
  tags: ['server'],
  request: { params: idParam },
  responses: noContent,
})

const stats = serverRoute({
  method: 'get',
  path: '/stats',
  summary: 'The cluster in figures',
  tags: ['server'],
  responses: {
    200: json(
      z.object({
        nodes: z.array(z.object({ node: z.string(), connections: z.number(), since: z.number() })),
        connections: z.number(),
        online: z.number().openapi({ description: 'users' }),
      }),
      'As of now',
    ),
  },
})

type Deps = Pick<HttpDeps, 'tokens' | 'messaging' | 'sessions' | 'cluster' | 'log'>

export function serverRoutes(api: Api, deps: Deps): void {
  const pushTo = async (to: Target, message: Omit<Outgoing, 'to'>): Promise<z.output<typeof pushed>> => {
    try {
      const { conv, id, dup } = await deps.messaging.send({ ...message, to })
      return { to, conv, id, ...(dup && { dup }) }
    } catch (fault) {
      if (fault instanceof ProtocolError) return { to, error: fault.toJSON() }
      deps.log.error({ err: fault, to }, 'http: push fault')
      return { to, error: new ProtocolError('internal', 'something went wrong here').toJSON() }
    }
  }

  api.openapi(tokens, async (c) => {
    const { user, name, ttl } = c.req.valid('json')
    return c.json(await deps.tokens.issue(user, name, ttl), 200)
  })
  api.openapi(push, async (c) => {
    const { to, ...message } = c.req.valid('json')
    // The sender's own devices learn of it too: none of them has sent it.
    const results = await Promise.all(to.map((each) => pushTo(each, { ...message, echo: true })))
    return c.json({ results }, 200)
  })
  api.openapi(closeSessions, async (c) => {
    await deps.sessions.close(c.req.valid('param').id, '*')
    return c.body(null, 204)
  })
  api.openapi(stats, async (c) => c.json(await deps.cluster.stats(), 200))
}
