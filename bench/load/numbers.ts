/** Numbers by a dense index from 0 on, 0 where none was set; it grows as it is written. */
export class Numbers {
  #values = new Int32Array(1024)

  get(index: number): number {
    return this.#values[index] ?? 0
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) {
      const larger = new Int32Array(Math.max(index + 1, this.#values.length * 2))
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[index] = value
  }
}
