/** Who may call what: users with a JWT, servers with the API key, and neither with the other's. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '@starling/protocol/errors'
import type { MiddlewareHandler } from 'hono'
import type { Tokens } from '../services/tokens.ts'
import type { HttpEnv } from './context.ts'

/** What opens: the check of tokens and of the key. */
export interface Gate {
  tokens: Pick<Tokens, 'verify'>
  /** @returns whether this is the API key; undefined where none is configured */
  isKey: ((key: string) => boolean) | undefined
}

export function createGate(tokens: Pick<Tokens, 'verify'>, apiKey: string | undefined): Gate {
  if (apiKey === undefined) return { tokens, isKey: undefined }
  // Digests have one length, so that the comparison tells nothing, not even the key's length.
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(apiKey)
  return { tokens, isKey: (key) => timingSafeEqual(digest(key), expected) }
}

function bearerOf(authorization: string | undefined): string {
  const match = /^Bearer +(\S+)$/i.exec(authorization ?? '')
  if (!match?.[1]) throw new ProtocolError('unauthorized', 'Authorization: Bearer … is missing')
  return match[1]
}

export const asUser: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const { user, name } = await c.var.gate.tokens.verify(bearerOf(c.req.header('authorization')))
  c.set('user', user)
  c.set('tokenName', name)
  await next()
}

export const asServer: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const { isKey } = c.var.gate
  if (!isKey) throw new ProtocolError('forbidden', 'API_KEY is not set: server endpoints are closed')
  if (!isKey(bearerOf(c.req.header('authorization'))))
    throw new ProtocolError('unauthorized', 'wrong API key')
  await next()
}
