/** What a request carries through the routes, and the kind of app they are declared on. */
import { type Hook, OpenAPIHono } from '@hono/zod-openapi'
import { requestError } from '@starling/protocol/codec'
import type { UserId } from '@starling/protocol/ids'
import type { Gate } from './auth.ts'
import type { Bindings } from './deps.ts'

export interface HttpEnv {
  Bindings: Bindings
  Variables: {
    gate: Gate
    /** Who asks; on user endpoints only. */
    user: UserId
    /** The name in their token. */
    tokenName: string | undefined
  }
}

export type Api = OpenAPIHono<HttpEnv>

/** A request that doesn't fit its schema: `bad_request`, naming the field; of a list in a query, the list. */
const refuse: Hook<unknown, HttpEnv, string, unknown> = (result) => {
  if (result.success) return
  const { issues } = result.error
  throw requestError(
    result.target === 'json' ? issues : issues.map((issue) => ({ ...issue, path: issue.path.slice(0, 1) })),
  )
}

export const createApi = (): Api => new OpenAPIHono<HttpEnv>({ defaultHook: refuse })
