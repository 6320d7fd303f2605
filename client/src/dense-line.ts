/**
 * A sequence without holes: a group's or channel's messages, or an inbox. Everything up to `at` has been
 * delivered, in order; what comes too early is held until the hole is filled, or is known to stay.
 */
import { comparePlaces, Held, type Place } from './held.ts'

/**
 * What became of one item. `next`: delivered. `seen`: it was delivered before. `jump`: held, something is missing
 * before it. `back`: its seq was taken by another one of an earlier time, so the log has lost a part; held.
 */
export type Verdict = 'next' | 'seen' | 'jump' | 'back'

export class DenseLine<T> {
  /** Undefined until the start is known; everything is held until then. */
  #at: Place | undefined
  readonly #held = new Held<T>()
  readonly #deliver: (item: T) => void

  constructor(deliver: (item: T) => void, at?: Place) {
    this.#deliver = deliver
    this.#at = at
  }

  get at(): string | undefined {
    return this.#at && `${this.#at.ms}-${this.#at.seq}`
  }

  /** Whether something is held. */
  get broken(): boolean {
    return this.#held.size > 0
  }

  /** The last that is held. */
  get heldTo(): Place | undefined {
    return this.#held.last()
  }

  /** Whether so much was held that some of it fell out: it has to be asked for. */
  get overflowed(): boolean {
    return this.#held.overflowed
  }

  /** Whether something lies between what was delivered and this place. */
  skipsTo(ms: number, seq: number): boolean {
    return this.#at !== undefined && ms >= this.#at.ms && seq > this.#at.seq + 1
  }

  /**
   * @param settled it comes from a sync: what is missing before it won't come
   * @param asked a sync is under way: what follows without a jump may hide something, where the log has lost a part
   */
  take(ms: number, seq: number, item: T, settled = false, asked = false): Verdict {
    const at = this.#at
    if (at === undefined) {
      this.#held.add({ ms, seq, item })
      return 'jump'
    }
    if (ms < at.ms || (ms === at.ms && seq <= at.seq)) return 'seen'
    if (settled || (!asked && seq === at.seq + 1 && !this.#holdsBefore(ms, seq))) {
      this.#deliverHeldUntil({ ms, seq: seq - 1 })
      this.#at = { ms, seq }
      this.#deliver(item)
      this.#drain()
      return 'next'
    }
    this.#held.add({ ms, seq, item })
    return seq <= at.seq ? 'back' : 'jump'
  }

  /**
   * Everything up to `head` has come, as far as it ever will. What is held beyond stays held.
   * @param heldTo the last that was held when the sync was asked for: the log had it then, and has lost it where its head
   *   lies before it. It is delivered, and the log goes on from its head.
   */
  settle(head: Place, heldTo?: Place): void {
    this.#deliverHeldUntil(head)
    if (this.#at === undefined || comparePlaces(this.#at, head) < 0) this.#at = { ...head }
    this.#held.overflowed = false
    if (heldTo !== undefined)
      for (const { item } of this.#held.take((held) => comparePlaces(held, heldTo) <= 0)) this.#deliver(item)
    this.#drain()
  }

  /** The log ends before what was known: go on from its head. */
  rebase(head: Place): void {
    this.#at = { ...head }
    this.#held.overflowed = false
    this.#drain()
  }

  /** Delivers all that is held, whatever is missing. */
  release(): void {
    this.#deliverHeldUntil({ ms: Number.POSITIVE_INFINITY, seq: 0 })
    this.#held.overflowed = false
  }

  holds(isMeant: (item: T) => boolean): boolean {
    return this.#held.has(isMeant)
  }

  /** Forgets what is held; a sync from `at` will bring it again. @param stays what no sync may bring again */
  drop(stays: (item: T) => boolean = () => false): void {
    this.#held.keep(stays)
  }

  /** Nothing is known any more. */
  reset(): void {
    this.#at = undefined
    this.#held.clear()
  }

  #holdsBefore(ms: number, seq: number): boolean {
    const first = this.#held.first()
    return first !== undefined && comparePlaces(first, { ms, seq }) < 0
  }

  #deliverHeldUntil(end: Place): void {
    for (let first = this.#held.first(); first !== undefined; first = this.#held.first()) {
      if (comparePlaces(first, end) > 0) return
      this.#pass()
    }
  }

  #drain(): void {
    for (let first = this.#held.first(); first !== undefined; first = this.#held.first()) {
      const at = this.#at as Place
      if (comparePlaces(first, at) > 0 && first.seq !== at.seq + 1) return
      this.#pass()
    }
  }

  /** Delivers the first held one, unless it has been overtaken. */
  #pass(): void {
    const first = this.#held.shift()
    if (first === undefined) return
    if (this.#at !== undefined && comparePlaces(first, this.#at) <= 0) return
    this.#at = { ms: first.ms, seq: first.seq }
    this.#deliver(first.item)
  }
}
