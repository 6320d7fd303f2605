/**
 * Who may open a WebSocket: pages of allowed origins, at a rate and up to a number this node can serve.
 */

import type { Load } from '../lib/load.ts'
import type { Origins } from '../lib/origins.ts'
import { isAllowedOrigin } from '../lib/origins.ts'
import { TokenBucket } from '../lib/token-bucket.ts'
import type { Refusal } from './server-uws.ts'

const RETRY_AFTER_S = 1

export class Door {
  readonly #origins: Origins | undefined
  readonly #maxConnections: number
  readonly #connections: () => number
  readonly #rate: TokenBucket
  readonly #load: Pick<Load, 'overloaded'>

  constructor(deps: {
    origins: Origins | undefined
    maxConnections: number
    /** New connections a second; as many may come at once. */
    connectRate: number
    connections: () => number
    load: Pick<Load, 'overloaded'>
  }) {
    this.#origins = deps.origins
    this.#maxConnections = deps.maxConnections
    this.#connections = deps.connections
    this.#load = deps.load
    this.#rate = new TokenBucket(deps.connectRate, deps.connectRate, performance.now())
  }

  /** Takes one place. @returns whether there was one */
  hasRoom(): boolean {
    if (this.#load.overloaded || this.#connections() >= this.#maxConnections) return false
    return this.#rate.take(performance.now()) === 0
  }

  /** @returns undefined to let it in, else the answer */
  refuse({ origin, host }: { origin: string; host: string }): Refusal | undefined {
    if (!isAllowedOrigin(this.#origins, origin, host)) {
      return { status: 403, message: 'pages of this origin may not connect' }
    }
    if (!this.hasRoom()) {
      return { status: 503, message: 'too many connections', retryAfterS: RETRY_AFTER_S }
    }
    return undefined
  }
}
