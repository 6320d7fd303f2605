/** Counts requests by the route that took them, as it was declared: the paths themselves are endless. */
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Metrics } from '../lib/metrics.ts'

export const countRequests =
  ({ httpRequests }: Pick<Metrics, 'httpRequests'>): MiddlewareHandler =>
  async (c, next) => {
    await next()
    const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith('*'))?.path ?? 'none'
    httpRequests.inc({
      method: METHODS.has(c.req.method) ? c.req.method : 'other',
      route,
      status: c.res.status,
    })
  }

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
