/**
 * When and where to come back: full-jitter exponential back-off, and the order in which endpoints are tried.
 */

const BACKOFF_FIRST_MS = 500
const BACKOFF_LAST_MS = 30_000

/** How long to wait before the next line. `exactly`: the server has said so. */
export type Wait = { kind: 'exactly'; ms: number } | { kind: 'backoff'; attempt: number }

/**
 * Full jitter: any time up to a bound that doubles, so that clients that lost a node together don't return together.
 * @param attempt 0, 1, 2 …
 * @returns ms, below 0.5 s at first, below 30 s in the end
 */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** attempt)
}

/** @returns ms to wait */
export function waitMs(wait: Wait, random: () => number): number {
  return wait.kind === 'exactly' ? wait.ms : backoffMs(wait.attempt, random)
}

/** Endpoints in random order, shuffled anew once all have been tried. */
export class Endpoints {
  readonly #all: readonly string[]
  readonly #random: () => number
  #left: string[] = []

  constructor(all: readonly string[], random: () => number) {
    this.#all = all
    this.#random = random
  }

  next(): string {
    if (this.#left.length === 0) this.#left = [...this.#all]
    const [endpoint] = this.#left.splice(Math.floor(this.#random() * this.#left.length), 1)
    return endpoint as string
  }

  /** The node behind one is leaving: all others come before it. */
  postpone(endpoint: string | undefined): void {
    this.#left = this.#all.filter((other) => other !== endpoint)
  }
}
