/**
 * A dm's messages. Not all of them come to every device (own ones of a time when there was no other device
 * stay in the log alone), and one may come much later than the next, when its sender had to try again. So a
 * hole is no gap: it is waited for shortly, then remembered, and filled whenever its message comes.
 */
import type { Verdict } from './dense-line.ts'
import { Held, MAX_HELD, type Place } from './held.ts'

/** More holes than this are not remembered: the oldest count as filled. */
const MAX_HOLES = 100
/** Of so many messages, the newest, the ms is remembered. */
const MAX_TIMES = 100

/** What has come of a dm: everything up to its last message but for these ranges of seqs, ascending. */
export interface DmState extends Place {
  holes: [first: number, last: number][]
}

export class DmLine<T> {
  #ms = 0
  #seq = 0
  /** Ranges of seqs that have not come, first and last, ascending. */
  readonly #holes: [first: number, last: number][] = []
  readonly #held = new Held<T>()
  readonly #deliver: (item: T) => void
  /**
   * seq → ms of what was delivered. A failover may have given the seq of a lost message anew, and one's own ack may tell of
   * what came behind it first: then it is not the same message.
   */
  readonly #times = new Map<number, number>()

  constructor(deliver: (item: T) => void) {
    this.#deliver = deliver
  }

  get broken(): boolean {
    return this.#held.size > 0
  }

  /** How far it has come, for the next run; undefined where nothing has come yet. */
  get state(): DmState | undefined {
    if (this.#seq === 0) return undefined
    return { ms: this.#ms, seq: this.#seq, holes: this.#holes.map(([first, last]) => [first, last]) }
  }

  /** Goes on from where an earlier run has been; may be told twice. */
  restore({ ms, seq, holes }: DmState): void {
    this.#ms = ms
    this.#seq = seq
    this.#times.set(seq, ms)
    this.#holes.length = 0
    for (const [first, last] of holes) this.#holes.push([first, last])
  }

  /**
   * As with a dense line, but what goes `back` is delivered at once.
   * @param settled it comes from a sync of the inbox, which brings what was missed in its order
   * @param missed the inbox has not brought everything yet: what may be missing here may be on its way
   */
  take(ms: number, seq: number, item: T, settled = false, missed = false): Verdict {
    if (this.#times.get(seq) === ms) return 'seen'
    const isOpen = seq > this.#seq || (ms <= this.#ms && this.#holeOf(seq) >= 0)
    if (missed && !settled && isOpen) return this.#hold(ms, seq, item)
    if (this.#seq === 0 && seq > 1) {
      if (!this.broken) return this.#begin(ms, seq, item)
      // What came before it, and was held for what the inbox still had to bring, goes first.
      this.#held.add({ ms, seq, item })
      this.#releaseWhile((held) => held.seq <= seq)
      this.#drain(missed)
      return 'next'
    }
    if (seq === this.#seq + 1) {
      this.#advance(ms, seq, item)
      this.#drain(missed)
      return 'next'
    }
    if (seq > this.#seq) return this.#hold(ms, seq, item)
    if (ms > this.#ms) {
      this.#releaseWhile((held) => held.ms < ms)
      this.#begin(ms, seq, item)
      this.#drain(missed)
      return 'back'
    }
    const wasGivenAnew = ms > (this.#times.get(seq) ?? Number.POSITIVE_INFINITY)
    if (!this.#fill(seq) && !wasGivenAnew) return 'seen'
    this.#pass(ms, seq, item)
    return 'next'
  }

  /** Delivers all that is held and remembers the holes. */
  release(): void {
    this.#releaseWhile(() => true)
    this.#held.clear()
  }

  #releaseWhile(isMeant: (held: Place) => boolean): void {
    for (let held = this.#held.first(); held !== undefined && isMeant(held); held = this.#held.first()) {
      this.#held.shift()
      if (held.seq <= this.#seq) {
        if (this.#fill(held.seq)) this.#pass(held.ms, held.seq, held.item)
        continue
      }
      if (held.seq > this.#seq + 1) this.#holes.push([this.#seq + 1, held.seq - 1])
      if (this.#holes.length > MAX_HOLES) this.#holes.shift()
      this.#advance(held.ms, held.seq, held.item)
    }
  }

  /** The first message known, or the first after the log has lost a part: all before it may still come. */
  #begin(ms: number, seq: number, item: T): Verdict {
    this.#holes.length = 0
    if (seq > 1) this.#holes.push([1, seq - 1])
    this.#advance(ms, seq, item)
    return 'next'
  }

  #advance(ms: number, seq: number, item: T): void {
    this.#ms = ms
    this.#seq = seq
    this.#pass(ms, seq, item)
  }

  #pass(ms: number, seq: number, item: T): void {
    this.#times.set(seq, ms)
    if (this.#times.size > MAX_TIMES) this.#times.delete(this.#times.keys().next().value as number)
    this.#deliver(item)
  }

  #hold(ms: number, seq: number, item: T): Verdict {
    this.#held.add({ ms, seq, item })
    if (this.#held.size < MAX_HELD) return 'jump'
    this.release()
    return 'next'
  }

  /** Delivers what follows without a jump, unless what may go before it is on its way. */
  #drain(missed: boolean): void {
    for (let first = this.#held.first(); first && first.seq <= this.#seq + 1; first = this.#held.first()) {
      if (missed && this.#holes.length > 0) return
      this.#held.shift()
      if (first.seq === this.#seq + 1) this.#advance(first.ms, first.seq, first.item)
      else if (this.#fill(first.seq)) this.#pass(first.ms, first.seq, first.item)
    }
  }

  #holeOf(seq: number): number {
    return this.#holes.findLastIndex(([first, last]) => first <= seq && seq <= last)
  }

  /** @returns whether the seq was missing */
  #fill(seq: number): boolean {
    const at = this.#holeOf(seq)
    const hole = this.#holes[at]
    if (hole === undefined) return false
    const [first, last] = hole
    const rest: [number, number][] = []
    if (first < seq) rest.push([first, seq - 1])
    if (seq < last) rest.push([seq + 1, last])
    this.#holes.splice(at, 1, ...rest)
    return true
  }
}
