/** Browsers' pages from elsewhere: refused, or let in with the headers that their browser wants to see. */
import { ProtocolError } from '@starling/protocol/errors'
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { Origins } from '../lib/origins.ts'
import { isAllowedOrigin } from '../lib/origins.ts'

/** How long a browser may remember that it was let in, seconds. */
const PREFLIGHT_TTL_SECONDS = 600

export function guardOrigin(allowed: Origins | undefined): MiddlewareHandler {
  // No cookies are used, so that a page can do no more than its own tokens allow.
  const letIn = cors({
    origin: (origin) => origin,
    allowHeaders: ['authorization', 'content-type'],
    exposeHeaders: ['retry-after'],
    maxAge: PREFLIGHT_TTL_SECONDS,
  })
  return async (c, next) => {
    const origin = c.req.header('origin')
    if (origin === undefined) return next()
    if (!isAllowedOrigin(allowed, origin, c.req.header('host'))) {
      throw new ProtocolError('forbidden', 'this origin is not allowed; ALLOWED_ORIGINS names those that are')
    }
    return letIn(c, next)
  }
}
