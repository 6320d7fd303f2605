/**
 * Whether this process keeps up: how long its event loop makes work wait, looked at once a second.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

const LOOK_MS = 1_000
/** How often the delay is measured: each time wakes a process that may have nothing else to do. */
const RESOLUTION_MS = 100
/** Above this mean delay new work is refused, so that what was taken on gets done, ms. */
const OVERLOADED_MS = 1_000
/** When to try again where too much is waiting, ms. */
export const OVERLOADED_RETRY_MS = 1_000

export class Load {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #timer: NodeJS.Timeout | undefined
  /** Mean delay of the last look, ms. */
  meanDelayMs = 0

  start(): void {
    this.#delay.enable()
    this.#timer = setInterval(() => {
      this.meanDelayMs = this.#delay.mean / 1e6 || 0
      this.#delay.reset()
    }, LOOK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  get overloaded(): boolean {
    return this.meanDelayMs > OVERLOADED_MS
  }
}
