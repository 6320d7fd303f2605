/**
 * A clock that is turned by hand.
 */
import type { Clock } from '../../../../client/src/clock.ts'

/** Lets everything run that waits for promises only. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

export class ManualClock implements Clock {
  #now = 1_000_000
  #next = 1
  readonly #timers = new Map<number, { at: number; run: () => void }>()

  /** How long until each timer fires, soonest first. */
  get pending(): number[] {
    return [...this.#timers.values()].map(({ at }) => at - this.#now).sort((a, b) => a - b)
  }

  now = () => this.#now

  setTimeout = (run: () => void, ms: number) => {
    const timer = this.#next++
    this.#timers.set(timer, { at: this.#now + ms, run })
    return timer
  }

  clearTimeout = (timer: unknown) => {
    this.#timers.delete(timer as number)
  }

  /** Turns the clock on, and fires what is due on the way at its time. */
  async turn(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const [due] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)
      if (due === undefined) break
      const [timer, { at, run }] = due
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, at)
      run()
      await settled()
    }
    this.#now = end
  }
}
