/**
 * The HTTP side: all routes in one app, which takes a Request and gives a Response and knows no server. The order
 * of what a request passes is the order of this file.
 */
import { ProtocolError } from '@starling/protocol/errors'
import { secureHeaders } from 'hono/secure-headers'
import { createGate } from './auth.ts'
import { type Api, createApi } from './context.ts'
import { countRequests } from './count-requests.ts'
import type { HttpDeps } from './deps.ts'
import { answerError, createErrorHandler } from './error-handler.ts'
import { describeApi } from './openapi.ts'
import { guardOrigin } from './origin-guard.ts'
import { authRoutes } from './routes/auth.ts'
import { contactRoutes } from './routes/contacts.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { groupRoutes } from './routes/groups.ts'
import { presenceRoutes } from './routes/presence.ts'
import { probeRoutes } from './routes/probes.ts'
import { serverRoutes } from './routes/server.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { userRoutes } from './routes/users.ts'
import { answerFromSite, readSite } from './site.ts'

export type { HttpDeps } from './deps.ts'

const API = '/api/v1'

/** Scripts from here alone; styles also from what components put into the page; pictures from wherever they are sent. */
const CONTENT_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  fontSrc: ["'self'", 'data:'],
  imgSrc: ["'self'", 'data:', 'blob:', 'http:', 'https:'],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}

/** Makes the app. Call its `fetch(request, { remoteAddress })`. */
export function createHttpApp(deps: HttpDeps): Api {
  const app = createApi()
  const gate = createGate(deps.tokens, deps.config.API_KEY)
  const site = deps.webDir === undefined ? undefined : readSite(deps.webDir)

  app.use(countRequests(deps.metrics))
  // TLS is the deployment's to decide on, so nothing is promised to browsers about it.
  app.use(
    secureHeaders({
      contentSecurityPolicy: CONTENT_POLICY,
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
  )
  app.use('/api/*', guardOrigin(deps.config.ALLOWED_ORIGINS), async (c, next) => {
    c.set('gate', gate)
    await next()
    c.header('Cache-Control', 'no-store')
  })

  const api = createApi()
  if (deps.config.AUTH === 'local') authRoutes(api, deps)
  userRoutes(api, deps)
  conversationRoutes(api, deps)
  groupRoutes(api, deps)
  contactRoutes(api, deps)
  sessionRoutes(api, deps)
  presenceRoutes(api, deps)
  serverRoutes(api, deps)
  app.route(API, api)
  probeRoutes(app, deps)
  describeApi(app)

  app.notFound((c) => {
    const isPage = !c.req.path.startsWith('/api/') && c.req.path !== '/ws'
    const page = isPage && site && answerFromSite(site, c)
    return page || answerError(c, new ProtocolError('not_found', 'no such path, or not with this method'))
  })
  app.onError(createErrorHandler(deps.log))
  return app
}
