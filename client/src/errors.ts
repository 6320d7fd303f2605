/**
 * The one error the SDK rejects with, for WebSocket requests and HTTP calls alike.
 */
import { ERROR_CODES, type ErrorCode } from '@starling/protocol/errors'

/**
 * The protocol's codes and two of the client's own: `disconnected` (the line ended before the reply,
 * or there was none to ask on) and `closed` (the client has been closed, nothing will be tried again).
 */
export type StarlingErrorCode = ErrorCode | 'disconnected' | 'closed'

/** What an error says beside its code and text. */
export interface StarlingErrorDetails {
  /** The request's field at fault. */
  field?: string | undefined
  /** Milliseconds after which the same request may succeed. */
  retryIn?: number | undefined
  /** HTTP status, where HTTP was asked. */
  status?: number | undefined
  cause?: unknown
}

export class StarlingError extends Error {
  override readonly name = 'StarlingError'
  readonly code: StarlingErrorCode
  readonly field: string | undefined
  readonly retryIn: number | undefined
  readonly status: number | undefined

  constructor(code: StarlingErrorCode, message: string, details: StarlingErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.retryIn = details.retryIn
    this.status = details.status
  }

  /** Whether the same request can succeed later by itself. */
  get retryable(): boolean {
    if (this.retryIn !== undefined) return true
    return Object.hasOwn(ERROR_CODES, this.code) && ERROR_CODES[this.code as ErrorCode].retry
  }
}
