/** For those who run the gateway: is it up, is it ready, what does it count, what does it speak. */
import { ProtocolError } from '@starling/protocol/errors'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'

const RETRY_MS = 1_000

export function probeRoutes(app: Api, { cluster, metrics }: Pick<HttpDeps, 'cluster' | 'metrics'>): void {
  app.get('/healthz', (c) => c.json({ up: true }))
  app.get('/readyz', (c) => {
    if (!cluster.ready()) throw new ProtocolError('unavailable', 'not ready', { retryIn: RETRY_MS })
    return c.json({ ready: true })
  })
  app.get('/metrics', async (c) => {
    return c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType })
  })
}
