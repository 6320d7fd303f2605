/**
 * Has what a burst leaves behind collected. V8 looks for garbage when it needs room, and a gateway that has gone quiet after
 * many have come, or after a backlog, needs none: it would keep tens of megabytes for hours. Nobody waits meanwhile: it
 * takes a tenth of a second, once, when there is next to nothing to do.
 */
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const LOOK_MS = 5_000
/** Shares of the time between two looks in which the event loop had something to do. */
const BUSY = 0.2
const QUIET = 0.02

export class Tidy {
  readonly #collect: () => void
  #timer: NodeJS.Timeout | undefined
  #seen = performance.eventLoopUtilization()
  /** Starting up is a burst, too. */
  #isDue = true

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
    if (utilization > BUSY) this.#isDue = true
    if (utilization > QUIET || !this.#isDue) return
    this.#isDue = false
    this.#collect()
  }
}

/** @returns what collects all garbage and gives the room back */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (how: Record<'type' | 'execution' | 'flavor', string>) => void
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
