/**
 * One HTTP call: URL, token, JSON, errors. What can be called is in api.ts.
 */
import { ERROR_CODES, type ErrorCode } from '@starling/protocol/errors'
import { StarlingError } from './errors.ts'

export interface ApiOptions {
  /** `http(s)://` or `ws(s)://host:port`; default: where the page came from. */
  endpoint?: string
  /** Asked before every call but those that sign in. */
  getToken?: () => Promise<string> | string
  /** Default `globalThis.fetch`. */
  fetch?: typeof globalThis.fetch
}

export type Query = Record<string, string | number | readonly string[] | undefined>

export interface Call {
  query?: Query
  body?: unknown
  /** Sent without a token. */
  open?: boolean
}

export type Http = <T>(method: string, path: string, call?: Call) => Promise<T>

const TIMEOUT_MS = 15_000

/** @returns a function that calls `/api/v1` of an endpoint and throws StarlingErrors */
export function createHttp({ endpoint = '', getToken, fetch = globalThis.fetch }: ApiOptions): Http {
  const base = `${endpoint.replace(/^ws/, 'http').replace(/\/+$/, '')}/api/v1`
  return async <T>(method: string, path: string, { query = {}, body, open }: Call = {}) => {
    const headers = new Headers()
    if (getToken !== undefined && !open) headers.set('authorization', `Bearer ${await getToken()}`)
    if (body !== undefined) headers.set('content-type', 'application/json')
    let response: Response
    let text: string
    try {
      response = await fetch(`${base}${path}${queryOf(query)}`, {
        method,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      text = await response.text()
    } catch (cause) {
      throw new StarlingError('unavailable', `${endpoint || 'the server'} can't be reached`, { cause })
    }
    if (!response.ok) throw errorOf(response, text)
    return bodyOf<T>(response, text)
  }
}

/** @returns a part of a path; every id fits in, whatever it is */
export const part = (id: string): string => encodeURIComponent(id)

function queryOf(query: Query): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    const text = Array.isArray(value) ? value.map(part).join(',') : part(String(value))
    parts.push(`${name}=${text}`)
  }
  return parts.length > 0 ? `?${parts.join('&')}` : ''
}

function bodyOf<T>({ status }: Response, text: string): T {
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T
  } catch (cause) {
    // A captive portal, or a page where the API should be.
    throw new StarlingError('unavailable', 'the answer is no JSON', { cause, status })
  }
}

/** A proxy's answer has no body of ours: then the status speaks. */
function errorOf(response: Response, text: string): StarlingError {
  const { status } = response
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryIn = Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined
  try {
    const { error } = JSON.parse(text) as {
      error: { code: ErrorCode; message: string; field?: string; retryIn?: number }
    }
    return new StarlingError(error.code, error.message, {
      field: error.field,
      retryIn: error.retryIn ?? retryIn,
      status,
    })
  } catch {
    return new StarlingError(codeOf(status), `HTTP ${status}`, { retryIn, status })
  }
}

function codeOf(status: number): ErrorCode {
  const known = Object.entries(ERROR_CODES).find(
    ([code, entry]) => code !== 'bad_frame' && entry.status === status,
  )
  if (known !== undefined) return known[0] as ErrorCode
  return status >= 500 ? 'unavailable' : 'bad_request'
}
