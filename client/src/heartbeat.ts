/**
 * Whether the line is alive: a browser doesn't see the server's pings, so the client asks when it has heard
 * nothing for a while, and takes silence after that for a dead line. Hearing costs a look at the clock, not a timer.
 */
import type { Clock, Timer } from './clock.ts'

/** How long the server may take to answer a ping. */
const ANSWER_WITHIN_MS = 10_000

export class Heartbeat {
  readonly #clock: Clock
  readonly #ping: () => void
  readonly #dead: () => void
  #heardAt = 0
  #timer: Timer | undefined

  constructor(clock: Clock, on: { ping: () => void; dead: () => void }) {
    this.#clock = clock
    this.#ping = on.ping
    this.#dead = on.dead
  }

  /** @param everyMs how long a silence may last before it is broken */
  start(everyMs: number): void {
    this.stop()
    this.heard()
    const listen = (ms: number) => {
      this.#timer = this.#clock.setTimeout(() => {
        const silentMs = this.#clock.now() - this.#heardAt
        if (silentMs < everyMs) listen(everyMs - silentMs)
        else ask()
      }, ms)
    }
    const ask = () => {
      const heardBefore = this.#heardAt
      this.#ping()
      this.#timer = this.#clock.setTimeout(() => {
        if (this.#heardAt === heardBefore) this.#dead()
        else listen(everyMs - (this.#clock.now() - this.#heardAt))
      }, ANSWER_WITHIN_MS)
    }
    listen(everyMs)
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.now()
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
