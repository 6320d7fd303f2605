/**
 * Errors at the edge of HTTP: the one place where a refusal becomes a status and a body, and where faults are logged.
 */
import { ERROR_CODES, ProtocolError } from '@starling/protocol/errors'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Log } from '../lib/log.ts'

type ErrorStatus = (typeof ERROR_CODES)[keyof typeof ERROR_CODES]['status']

/** Answers with an error, `Retry-After` in whole seconds where trying again makes sense. */
export function answerError(c: Context, error: ProtocolError): Response {
  if (error.retryIn !== undefined) c.header('Retry-After', String(Math.ceil(error.retryIn / 1000)))
  if (error.code === 'unauthorized') c.header('WWW-Authenticate', 'Bearer')
  return c.json({ error: error.toJSON() }, ERROR_CODES[error.code].status satisfies ErrorStatus)
}

/** @returns Hono's error handler. A request fails with our words or with `internal`; its cause is for the log. */
export const createErrorHandler =
  (log: Log) =>
  (fault: unknown, c: Context): Response => {
    const error = refusalOf(fault)
    const request = { method: c.req.method, path: c.req.path }
    if (error.code === 'internal') log.error({ err: fault, ...request }, 'http: fault')
    else if (error.cause !== undefined)
      log.warn({ err: error.cause, code: error.code, ...request }, 'http: refused')
    return answerError(c, error)
  }

function refusalOf(fault: unknown): ProtocolError {
  if (fault instanceof ProtocolError) return fault
  // What Hono itself refuses is the request's form: a body that is no JSON, a wrong media type.
  if (fault instanceof HTTPException && fault.status < 500)
    return new ProtocolError('bad_request', fault.message)
  return new ProtocolError('internal', 'something went wrong here', { cause: fault })
}
