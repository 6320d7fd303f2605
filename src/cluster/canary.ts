/**
 * The canary: this node sends itself a sign of life through the bus, by way of every bucket within 2 s. A feed can
 * be silently dead while every command succeeds; a sign that stays out is how it is found, within 3 s.
 */
import type { Bus } from '../bus/bus.ts'
import type { Log } from '../lib/log.ts'

/** A round goes over all buckets in at most so many steps of this length. */
const STEPS = 20
const STEP_MS = 100
/** And where there are few buckets, in so many at least: a sign twice a second finds a dead feed in time. */
const FEWEST_STEPS = 5
/**
 * How many steps a sign may take. Steps and not a time: sockets are read between two of them, so that a gateway which
 * was busy for a second doesn't take its own lateness for a dead feed.
 */
const LIMIT_STEPS = 9

export class Canary {
  /** The bus of now: a lost lease brings a new one. */
  readonly #bus: () => Bus
  readonly #buckets: number
  readonly #steps: number
  readonly #log: Log
  /** bucket → the tick that sent its sign, which has not come yet */
  readonly #waiting = new Map<number, number>()
  #ticks = 0
  #step = 0
  #round = 0
  #timer: NodeJS.Timeout | undefined
  #lastHeard = performance.now()

  constructor(deps: { bus: () => Bus; buckets: number; log: Log }) {
    this.#bus = deps.bus
    this.#buckets = deps.buckets
    this.#steps = Math.min(STEPS, Math.max(FEWEST_STEPS, deps.buckets))
    this.#log = deps.log
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), STEP_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** A sign has come. */
  heard(bucket: number): void {
    this.#waiting.delete(bucket)
    this.#lastHeard = performance.now()
  }

  /** How old the newest sign of life is, ms. */
  get ageMs(): number {
    return performance.now() - this.#lastHeard
  }

  /** Whether no sign is overdue. */
  get alive(): boolean {
    return this.ageMs < 3_000
  }

  #tick(): void {
    const bus = this.#bus()
    if (!bus.whole) {
      this.#waiting.clear() // the bus knows already
      return
    }
    this.#ticks += 1
    const silent = new Set<number>()
    for (const [bucket, tick] of this.#waiting) if (this.#ticks - tick > LIMIT_STEPS) silent.add(bucket)
    if (silent.size > 0) {
      this.#log.warn({ buckets: silent.size }, 'canary: the feed is silent; subscribing anew')
      this.#waiting.clear()
      bus.restart(silent)
      return
    }
    const share = Math.ceil(this.#buckets / this.#steps)
    const start = this.#step * share
    const buckets = Array.from(
      { length: Math.max(0, Math.min(share, this.#buckets - start)) },
      (_, at) => start + at,
    )
    this.#step = (this.#step + 1) % this.#steps
    if (this.#step === 0) this.#round += 1
    for (const bucket of buckets) if (!this.#waiting.has(bucket)) this.#waiting.set(bucket, this.#ticks)
    bus.sendCanary(buckets, this.#round).catch(() => {
      // Redis can't be reached for commands: that says nothing about the feed.
      for (const bucket of buckets) this.#waiting.delete(bucket)
    })
  }
}
