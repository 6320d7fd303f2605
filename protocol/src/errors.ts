/**
 * Error codes: what an `error` frame and an HTTP error body can say, with the HTTP status of each
 * and whether the same request can succeed later by itself.
 */

export const ERROR_CODES = {
  bad_frame: { status: 400, retry: false },
  bad_request: { status: 400, retry: false },
  unauthorized: { status: 401, retry: false },
  forbidden: { status: 403, retry: false },
  not_member: { status: 403, retry: false },
  blocked: { status: 403, retry: false },
  stranger_limit: { status: 403, retry: false },
  muted: { status: 403, retry: false },
  not_found: { status: 404, retry: false },
  conflict: { status: 409, retry: false },
  too_large: { status: 413, retry: false },
  rate_limited: { status: 429, retry: true },
  unavailable: { status: 503, retry: true },
  overloaded: { status: 503, retry: true },
  internal: { status: 500, retry: false },
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** What an error says beside its code. */
export interface ErrorDetails {
  /** The request's field at fault. */
  field?: string
  /** Milliseconds after which the same request may succeed. */
  retryIn?: number
  cause?: unknown
}

/** A request that can't be served; becomes an `error` frame or an HTTP error, the connection stays. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryIn: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.retryIn = details.retryIn
  }

  /** @returns the fields that both an `error` frame and an HTTP error body carry */
  toJSON(): { code: ErrorCode; message: string; field?: string; retryIn?: number } {
    return {
      code: this.code,
      message: this.message,
      ...(this.field !== undefined && { field: this.field }),
      ...(this.retryIn !== undefined && { retryIn: this.retryIn }),
    }
  }
}
