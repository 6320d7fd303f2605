/**
 * What came before its turn, in order, each id once. Bounded: the newest falls out, it can be asked for again.
 */

/** The two numbers of `<ms>-<seq>`. */
export interface Place {
  ms: number
  seq: number
}

export interface HeldItem<T> extends Place {
  item: T
}

export const MAX_HELD = 1_000

/** Orders by (ms, seq). */
export const comparePlaces = (a: Place, b: Place): number => a.ms - b.ms || a.seq - b.seq

export class Held<T> {
  #items: HeldItem<T>[] = []
  /** Something fell out; whoever has asked for it again resets this. */
  overflowed = false

  get size(): number {
    return this.#items.length
  }

  first(): HeldItem<T> | undefined {
    return this.#items[0]
  }

  last(): HeldItem<T> | undefined {
    return this.#items.at(-1)
  }

  shift(): HeldItem<T> | undefined {
    return this.#items.shift()
  }

  /** Does nothing where the id is there already. */
  add(held: HeldItem<T>): void {
    let at = this.#items.length
    // What comes late is mostly the newest of what has come late.
    for (; at > 0; at--) {
      const order = comparePlaces(this.#items[at - 1] as HeldItem<T>, held)
      if (order === 0) return
      if (order < 0) break
    }
    this.#items.splice(at, 0, held)
    if (this.#items.length > MAX_HELD) {
      this.#items.pop()
      this.overflowed = true
    }
  }

  /** Takes out all that are meant. @returns these, in order */
  take(isMeant: (held: HeldItem<T>) => boolean): HeldItem<T>[] {
    const taken = this.#items.filter(isMeant)
    if (taken.length > 0) this.#items = this.#items.filter((held) => !isMeant(held))
    return taken
  }

  has(isMeant: (item: T) => boolean): boolean {
    return this.#items.some(({ item }) => isMeant(item))
  }

  clear(): void {
    this.keep(() => false)
  }

  /** Forgets all but these. */
  keep(isMeant: (item: T) => boolean): void {
    this.#items = this.#items.filter(({ item }) => isMeant(item))
    this.overflowed = false
  }
}
