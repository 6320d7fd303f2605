/**
 * Time and timers, as a seam: tests turn the clock by hand.
 */

export type Timer = unknown

export interface Clock {
  /** Unix ms. */
  now(): number
  setTimeout(run: () => void, ms: number): Timer
  clearTimeout(timer: Timer): void
}

/** Timers hold 31 bits of milliseconds; what is longer would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, Math.min(ms, MAX_TIMEOUT_MS)),
  clearTimeout: (timer) => clearTimeout(timer as number),
}
