/**
 * Has what a burst leaves behind collected. V8 looks for garbage when it needs room, and a gateway that has gone quiet after
 * many have come needs none: it would keep tens of megabytes for hours. Nobody waits meanwhile: it takes a tenth of a second,
 * once, when there is next to nothing to do. A busy one gives back the room of a backlog that is over; that costs it the tenth
 * of a second, so it is worth it only for much, and not often.
 */

import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const LOOK_MS = 5_000
/** Shares of the time between two looks in which the event loop had something to do. */
const BUSY = 0.2
const QUIET = 0.05
/** By how much a busy gateway must have grown, and for how many looks at least it is left alone. */
const MUCH_BYTES = 64 * 1024 ** 2
const LOOKS_LEFT_ALONE = 60

export class Tidy {
  readonly #collect: () => void
  #timer: NodeJS.Timeout | undefined
  #seen = performance.eventLoopUtilization()
  /** Starting up is a burst, too. */
  #isDue = true
  #looks = 0
  /** Resident memory when all had been collected, bytes. */
  #resident = process.memoryUsage.rss()

  constructor(collect = collector()) {
    this.#collect = collect
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#seen)
    this.#seen = now
    this.#looks += 1
    if (utilization > BUSY) this.#isDue = true
    if ((this.#isDue && utilization <= QUIET) || this.#hasGrown()) this.#tidy()
  }

  #hasGrown(): boolean {
    return this.#looks >= LOOKS_LEFT_ALONE && process.memoryUsage.rss() > this.#resident + MUCH_BYTES
  }

  #tidy(): void {
    this.#collect()
    this.#isDue = false
    this.#looks = 0
    this.#resident = process.memoryUsage.rss()
  }
}

/** @returns what collects all garbage and gives the room back */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (how: Record<'type' | 'execution' | 'flavor', string>) => void
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
