/**
 * Who may open a WebSocket: pages of allowed origins, at a rate and up to a number this node can serve; nobody while it has
 * no place in the cluster, since they would hear nothing.
 */

import type { Load } from '../lib/load.ts'
import type { Origins } from '../lib/origins.ts'
import { isAllowedOrigin } from '../lib/origins.ts'
import type { Tally } from '../lib/tally.ts'
import { TokenBucket } from '../lib/token-bucket.ts'
import type { Refusal } from './server-uws.ts'

const RETRY_AFTER_S = 1

export class Door {
  readonly #origins: Origins | undefined
  readonly #maxConnections: number
  readonly #connections: () => number
  readonly #isAway: () => boolean
  readonly #rate: TokenBucket
  readonly #load: Pick<Load, 'overloaded'>
  readonly #handshakes: Pick<Tally, 'add'>

  constructor(deps: {
    origins: Origins | undefined
    maxConnections: number
    /** New connections a second; as many may come at once. */
    connectRate: number
    connections: () => number
    /** Whether this node is out of the cluster now. */
    isAway: () => boolean
    load: Pick<Load, 'overloaded'>
    /** Counts who was let in, and who was not and why. */
    handshakes: Pick<Tally, 'add'>
  }) {
    this.#origins = deps.origins
    this.#maxConnections = deps.maxConnections
    this.#connections = deps.connections
    this.#isAway = deps.isAway
    this.#load = deps.load
    this.#handshakes = deps.handshakes
    this.#rate = new TokenBucket(deps.connectRate, deps.connectRate, performance.now())
  }

  /** Takes one place. @returns whether there was one */
  hasRoom(): boolean {
    const result = this.#take()
    this.#handshakes.add(result)
    return result === 'taken'
  }

  #take(): 'taken' | 'away' | 'overloaded' | 'full' | 'rate' {
    if (this.#isAway()) return 'away'
    if (this.#load.overloaded) return 'overloaded'
    if (this.#connections() >= this.#maxConnections) return 'full'
    return this.#rate.take(performance.now()) === 0 ? 'taken' : 'rate'
  }

  /** @returns undefined to let it in, else the answer */
  refuse({ origin, host }: { origin: string; host: string }): Refusal | undefined {
    if (!isAllowedOrigin(this.#origins, origin, host)) {
      this.#handshakes.add('origin')
      return { status: 403, message: 'pages of this origin may not connect' }
    }
    if (!this.hasRoom()) {
      return { status: 503, message: 'no room here now', retryAfterS: RETRY_AFTER_S }
    }
    return undefined
  }
}
