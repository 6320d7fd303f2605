/** Bodies of requests before the schemas see them: their size, their encoding, their depth. */
import { isDeeperThan } from '@starling/protocol/codec'
import { ProtocolError } from '@starling/protocol/errors'
import { MAX_DEPTH } from '@starling/protocol/limits'
import type { MiddlewareHandler } from 'hono'

/** Most bytes of a request's body. */
const MAX_HTTP_BODY_BYTES = 64 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true })

const tooLarge = (): ProtocolError =>
  new ProtocolError('too_large', `a request has at most ${MAX_HTTP_BODY_BYTES} bytes`)

/** Lets through what is JSON in UTF-8 within the limits, and a body that isn't there. */
export const jsonBody: MiddlewareHandler = async (c, next) => {
  const bytes = await c.req.arrayBuffer()
  if (bytes.byteLength > MAX_HTTP_BODY_BYTES) throw tooLarge()
  if (bytes.byteLength > 0) {
    // Browsers send a form or plain text to foreign sites without asking; JSON makes them ask first.
    if (!/^application\/json *(;|$)/i.test(c.req.header('content-type') ?? '')) {
      throw new ProtocolError('bad_request', 'the content type must be application/json')
    }
    if (isDeeperThan(parse(bytes), MAX_DEPTH)) throw new ProtocolError('bad_request', 'nested too deep')
  }
  await next()
}

function parse(bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new ProtocolError('bad_request', 'not JSON')
  }
}
