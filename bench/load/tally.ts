/**
 * What a receiver has got of one stream: numbers 0, 1, 2 …, each once and in order. What is not so is counted.
 */
export class Tally {
  /** How many different ones have come. */
  received = 0
  doubled = 0
  outOfOrder = 0
  #next = 0
  readonly #missing = new Set<number>()

  note(n: number): void {
    if (n === this.#next) {
      this.#next = n + 1
      this.received++
    } else if (n > this.#next) {
      for (let hole = this.#next; hole < n; hole++) this.#missing.add(hole)
      this.#next = n + 1
      this.received++
    } else if (this.#missing.delete(n)) {
      this.received++
      this.outOfOrder++
    } else {
      this.doubled++
    }
  }
}
