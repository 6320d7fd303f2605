/**
 * The lines in which the jobs of one script wait for their calls: one for each place, first in, first out, with at most
 * one call under way.
 */
import type { ProtocolError } from '@starling/protocol/errors'

/** Jobs in one call at most: a few ms of Redis. */
const MAX_JOBS = 256
/** Bytes in one call, about, from which on no further job is taken in. */
const MAX_BYTES = 256 * 1024

export interface Job<Result> {
  bucket: number
  /** What it passes, as it goes over the wire. */
  words: string
  resolve: (result: Result) => void
  reject: (fault: unknown) => void
}

/** The Redis that serves a bucket now, or the bucket itself where nobody knows which that is. */
export type Place = string | number

interface Deps<Result> {
  placeOf: (bucket: number) => Place
  /**
   * Makes one call of jobs that all lie in one place, and answers them.
   * @returns why nobody was reached there, if so
   */
  send: (jobs: readonly Job<Result>[]) => Promise<ProtocolError | undefined>
  /** Whether all that waits goes out at once, in as many calls as it takes: what only reads. */
  atOnce: boolean
  /** Told of jobs that wait no more: they go out now, or are given up. */
  onTaken: (jobs: readonly Job<Result>[]) => void
}

/**
 * A bucket's jobs stand in one line as long as any of them waits or is under way, though the bucket moves to another place
 * meanwhile: in a line of that place later ones would overtake them (P3).
 */
export class Lines<Result> {
  readonly #deps: Deps<Result>
  readonly #lines = new Map<Place, Line<Result>>()
  readonly #homes = new Map<number, { line: Line<Result>; jobs: number }>()

  constructor(deps: Deps<Result>) {
    this.#deps = deps
  }

  add(job: Job<Result>): void {
    let home = this.#homes.get(job.bucket)
    if (!home) {
      home = { line: this.#lineOf(this.#deps.placeOf(job.bucket)), jobs: 0 }
      this.#homes.set(job.bucket, home)
    }
    home.jobs += 1
    home.line.add(job)
  }

  #lineOf(place: Place): Line<Result> {
    const known = this.#lines.get(place)
    if (known) return known
    const line = new Line<Result>({
      ...this.#deps,
      onDone: (jobs) => {
        for (const { bucket } of jobs) this.#leave(bucket)
      },
      onIdle: () => this.#lines.delete(place),
    })
    this.#lines.set(place, line)
    return line
  }

  #leave(bucket: number): void {
    const home = this.#homes.get(bucket)!
    home.jobs -= 1
    if (home.jobs === 0) this.#homes.delete(bucket)
  }
}

class Line<Result> {
  readonly #deps: Deps<Result> & { onDone: (jobs: readonly Job<Result>[]) => void; onIdle: () => void }
  #waiting: Job<Result>[] = []
  #isBusy = false

  constructor(deps: Deps<Result> & { onDone: (jobs: readonly Job<Result>[]) => void; onIdle: () => void }) {
    this.#deps = deps
  }

  add(job: Job<Result>): void {
    this.#waiting.push(job)
    if (this.#isBusy) return
    this.#isBusy = true
    // Sockets are read one after the other: what this tick brings goes together.
    setImmediate(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const calls = [this.#call()]
      while (this.#deps.atOnce && this.#waiting.length > 0) calls.push(this.#call())
      await Promise.all(calls)
    }
    this.#isBusy = false
    this.#deps.onIdle()
  }

  async #call(): Promise<void> {
    const jobs = this.#take()
    this.#deps.onTaken(jobs)
    const place = this.#deps.placeOf(jobs[0]!.bucket)
    const fault = await this.#deps.send(jobs)
    this.#deps.onDone(jobs)
    if (fault) this.#giveUp(place, fault)
  }

  /**
   * What waits behind a call that found nobody would fail one call after the other, each as slowly as the client library
   * gives up in a cluster, while the line grows.
   */
  #giveUp(place: Place, fault: ProtocolError): void {
    const isLost = ({ bucket }: Job<Result>) => this.#deps.placeOf(bucket) === place
    const lost = this.#waiting.filter(isLost)
    this.#waiting = this.#waiting.filter((job) => !isLost(job))
    this.#deps.onTaken(lost)
    for (const job of lost) job.reject(fault)
    this.#deps.onDone(lost)
  }

  /** Takes what goes into the next call: the first jobs, as far as they lie in one place as of now. */
  #take(): Job<Result>[] {
    const place = this.#deps.placeOf(this.#waiting[0]!.bucket)
    let count = 0
    let bytes = 0
    for (const { bucket, words } of this.#waiting) {
      if (count === MAX_JOBS || bytes > MAX_BYTES || this.#deps.placeOf(bucket) !== place) break
      bytes += words.length
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}
