/** The HTTP app without a Redis behind it: for what is decided before any service is asked, or by one alone. */
import { createHttpApp, type HttpDeps } from '../../../src/http/app.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createMetrics } from '../../../src/lib/metrics.ts'
import { Tokens } from '../../../src/services/tokens.ts'

export const SECRET = 'a secret for tests that is long enough'
export const API_KEY = 'the key of the deployment'
export const tokens = new Tokens({
  secret: SECRET,
  jwksUrl: undefined,
  issuer: undefined,
  audience: undefined,
})

/** A service that must not be asked. */
const unasked = <Service extends object>(name: string): Service =>
  new Proxy({} as Service, {
    get: (_, method) => () => {
      throw new Error(`${name}.${String(method)} was not expected`)
    },
  })

export function bareApp(given: Partial<HttpDeps> = {}) {
  const app = createHttpApp({
    config: { AUTH: 'local', API_KEY, ALLOWED_ORIGINS: undefined },
    log: createLog('silent', 'test'),
    metrics: createMetrics(),
    tokens,
    accounts: unasked('accounts'),
    contacts: unasked('contacts'),
    messaging: unasked('messaging'),
    history: unasked('history'),
    groups: unasked('groups'),
    presence: unasked('presence'),
    sessions: unasked('sessions'),
    cluster: unasked('cluster'),
    ...given,
  })
  return {
    app,
    /** Asks with a Host header, as every client sends one. */
    ask: async (path: string, init: RequestInit = {}) =>
      app.fetch(
        new Request(`http://gateway${path}`, {
          ...init,
          headers: { host: 'chat.example', ...(init.headers as Record<string, string>) },
        }),
        { remoteAddress: '203.0.113.7' },
      ),
  }
}

export const bearer = async (user = 'alice') => ({
  authorization: `Bearer ${(await tokens.issue(user as never, undefined, 60)).token}`,
})
