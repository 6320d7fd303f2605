/**
 * The token in use: asked for when there is none, when it is about to end, when it was refused. Reads a
 * JWT's `exp` and `sub` and nothing else of it; a token that has none is used until it is refused.
 */
import type { Clock, Timer } from './clock.ts'
import { backoffMs } from './reconnect.ts'
import type { TokenReason } from './types.ts'

/** A token that ends sooner than this is not worth a hello. */
const TOO_SHORT_MS = 10_000
/** A session's token is renewed this long before its end, or at four fifths of what is left of it. */
const RENEW_BEFORE_MS = 60_000
/** Not more often, even if the tokens that come are over already. */
const RENEW_AFTER_MS = 1_000

export interface TokensOptions {
  clock: Clock
  random: () => number
  getToken: (why: TokenReason) => Promise<string>
  /** A renewal has failed; it will be tried again. */
  failed: (error: unknown) => void
}

export class Tokens {
  readonly #options: TokensOptions
  #token: string | undefined
  #next: TokenReason = 'first'
  /** The server's clock minus ours, ms: `exp` is in the server's time. */
  #skewMs = 0
  #timer: Timer | undefined

  constructor(options: TokensOptions) {
    this.#options = options
  }

  /** @returns a token for `hello` */
  async get(): Promise<string> {
    const leftMs = this.#token === undefined ? 0 : this.#leftMs(this.#token)
    if (this.#token === undefined || leftMs < TOO_SHORT_MS) await this.#renew(this.#next)
    return this.#token as string
  }

  /** The server doesn't take it. */
  forget(): void {
    this.#token = undefined
    this.#next = 'unauthorized'
  }

  /**
   * A session has begun with this token: from now on it is renewed in time.
   * @param tell hands a new token to the server; rejects where it is refused
   */
  keepFresh(serverTime: number, tell: (token: string) => Promise<unknown>): void {
    this.#skewMs = serverTime - this.#options.clock.now()
    this.rest()
    this.#schedule(0, tell)
  }

  /** The session has ended. */
  rest(): void {
    this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** @param failures in a row */
  #schedule(failures: number, tell: (token: string) => Promise<unknown>): void {
    const { clock, random } = this.#options
    const leftMs = this.#leftMs(this.#token as string)
    if (leftMs === Number.POSITIVE_INFINITY) return
    const inMs = failures > 0 ? backoffMs(failures, random) : Math.max(leftMs * 0.8, leftMs - RENEW_BEFORE_MS)
    const timer = clock.setTimeout(
      () => void this.#renewWithin(timer, failures, tell),
      Math.max(RENEW_AFTER_MS, inMs),
    )
    this.#timer = timer
  }

  /** @param timer the session's; another one means that the session is over, or has a newer plan */
  async #renewWithin(
    timer: Timer,
    failures: number,
    tell: (token: string) => Promise<unknown>,
  ): Promise<void> {
    const isOver = () => this.#timer !== timer
    try {
      const token = await this.#options.getToken('expiring')
      if (isOver()) return
      await tell(token)
      if (isOver()) return
      this.#token = token
      this.#schedule(0, tell)
    } catch (error) {
      if (isOver()) return
      this.#options.failed(error)
      this.#schedule(failures + 1, tell)
    }
  }

  async #renew(why: TokenReason): Promise<void> {
    this.#token = await this.#options.getToken(why)
    this.#next = 'expiring'
  }

  #leftMs(token: string): number {
    const exp = expOf(token)
    return exp === undefined
      ? Number.POSITIVE_INFINITY
      : exp * 1_000 - (this.#options.clock.now() + this.#skewMs)
  }
}

/** @returns a JWT's `exp` in Unix seconds, where it can be read */
function expOf(token: string): number | undefined {
  const { exp } = claimsOf(token)
  return typeof exp === 'number' ? exp : undefined
}

/** @returns whose JWT it is, where it can be read */
export function subjectOf(token: string): string | undefined {
  const { sub } = claimsOf(token)
  return typeof sub === 'string' ? sub : undefined
}

function claimsOf(token: string): { exp?: unknown; sub?: unknown } {
  try {
    const payload = (token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/')
    // Only ASCII matters here: other characters stay garbled, inside of their strings.
    return (JSON.parse(atob(payload)) as object | null) ?? {}
  } catch {
    return {}
  }
}
