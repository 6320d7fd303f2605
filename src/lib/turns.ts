/**
 * Work that is done one piece after the other, in the order in which it came.
 */
export class Turns {
  #tail: Promise<void> = Promise.resolve()
  #count = 0

  /** How many pieces wait or are under way. */
  get count(): number {
    return this.#count
  }

  /** Does a piece when all before it have ended, well or badly. @returns what came of it */
  take<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.#count += 1
    const turn = this.#tail.then(work)
    const ended = () => {
      this.#count -= 1
    }
    this.#tail = turn.then(ended, ended)
    return turn
  }
}
