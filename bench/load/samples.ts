/** A list of numbers that grows without an object per number. */
export class Samples {
  #values = new Float64Array(4096)
  #count = 0

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#count * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = value
  }

  /** @returns a copy of what is in it */
  toArray(): Float64Array {
    return this.#values.slice(0, this.#count)
  }
}
