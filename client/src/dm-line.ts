/**
 * A dm's messages. Not all of them come to every device (own ones of a time when there was no other device
 * stay in the log alone), and one may come much later than the next, when its sender had to try again. So a
 * hole is no gap: it is waited for shortly, then remembered, and filled whenever its message comes.
 */
import type { Verdict } from './dense-line.ts'
import { comparePlaces, Held, type HeldItem, MAX_HELD, type Place } from './held.ts'

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
  readonly #isBehind: (held: T, item: T) => boolean
  /**
   * seq → ms of what was delivered. A failover may have given the seq of a lost message anew, and one's own ack may tell of
   * what came behind it first: then it is not the same message.
   */
  readonly #times = new Map<number, number>()
  /** Of nothing newer than this the ms is forgotten. */
  #forgottenMs = 0

  /** @param isBehind whether the inbox has one behind the other, whatever their ids say */
  constructor(deliver: (item: T) => void, isBehind: (held: T, item: T) => boolean) {
    this.#deliver = deliver
    this.#isBehind = isBehind
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
    this.#forgottenMs = ms
    this.#holes.length = 0
    for (const [first, last] of holes) this.#holes.push([first, last])
  }

  /**
   * As with a dense line, but what goes `back` is held only as long as something is missed.
   * @param settled it comes from a sync of the inbox, which brings what was missed in its order
   * @param missed the inbox has not brought everything yet: what may be missing here may be on its way
   */
  take(ms: number, seq: number, item: T, settled = false, missed = false): Verdict {
    if (!this.#lacks(ms, seq)) return 'seen'
    const goesBack = seq <= this.#seq && ms > this.#ms
    const jumps = this.#seq > 0 && seq > this.#seq + 1
    if (jumps || (missed && !settled)) return this.#hold(ms, seq, item, goesBack ? 'back' : 'jump')
    // What waited for what the inbox still has to bring goes first, unless its own turn comes later.
    this.#release((held) => comparePlaces(held, { ms, seq }) < 0 && !this.#isBehind(held.item, item))
    this.#admit({ ms, seq, item })
    this.#drain(missed)
    return goesBack ? 'back' : 'next'
  }

  /** Delivers all that is held and remembers the holes. */
  release(): void {
    this.#release(() => true)
    this.#held.clear()
  }

  #release(isMeant: (held: HeldItem<T>) => boolean): void {
    for (const held of this.#held.take(isMeant)) this.#admit(held)
  }

  /** Delivers it, unless it came in another way while it was held. */
  #admit({ ms, seq, item }: HeldItem<T>): void {
    if (!this.#lacks(ms, seq)) return
    if (seq > this.#seq || ms > this.#ms) {
      // The first after the log has lost a part is like the first one known: all before it may still come.
      if (seq <= this.#seq) {
        this.#seq = 0
        this.#holes.length = 0
      }
      if (seq > this.#seq + 1) this.#holes.push([this.#seq + 1, seq - 1])
      if (this.#holes.length > MAX_HOLES) this.#holes.shift()
      this.#ms = ms
      this.#seq = seq
    } else this.#fill(seq)
    this.#times.set(seq, ms)
    this.#forgetOldest()
    this.#deliver(item)
  }

  #hold(ms: number, seq: number, item: T, verdict: Verdict): Verdict {
    this.#held.add({ ms, seq, item })
    if (this.#held.size < MAX_HELD) return verdict
    this.release()
    return 'next'
  }

  /** Delivers what follows without a jump, unless what may go before it is on its way. */
  #drain(missed: boolean): void {
    for (let first = this.#held.first(); first && first.seq <= this.#seq + 1; first = this.#held.first()) {
      if (missed && (this.#holes.length > 0 || first.seq <= this.#seq)) return
      this.#held.shift()
      this.#admit(first)
    }
  }

  /** Whether it has not been delivered: it is newer than all, fills a hole, or has the seq of one that was lost. */
  #lacks(ms: number, seq: number): boolean {
    const known = this.#times.get(seq)
    if (known === ms) return false
    return seq > this.#seq || ms > this.#ms || this.#holeOf(seq) >= 0 || ms > (known ?? this.#forgottenMs)
  }

  #forgetOldest(): void {
    if (this.#times.size <= MAX_TIMES) return
    const [seq, ms] = this.#times.entries().next().value as [number, number]
    this.#times.delete(seq)
    this.#forgottenMs = Math.max(this.#forgottenMs, ms)
  }

  #holeOf(seq: number): number {
    return this.#holes.findLastIndex(([first, last]) => first <= seq && seq <= last)
  }

  #fill(seq: number): void {
    const at = this.#holeOf(seq)
    const hole = this.#holes[at]
    if (hole === undefined) return
    const [first, last] = hole
    const rest: [number, number][] = []
    if (first < seq) rest.push([first, seq - 1])
    if (seq < last) rest.push([seq + 1, last])
    this.#holes.splice(at, 1, ...rest)
  }
}
