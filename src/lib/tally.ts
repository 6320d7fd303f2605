/**
 * Counting on hot paths: a number per label in a map, read when somebody looks. The metrics library's own counters
 * hash their labels at every step, which costs more than passing a frame on.
 */
import { Counter, type Registry } from 'prom-client'

export class Tally {
  readonly #counts = new Map<string, number>()

  /** @param options.labels names of the labels; several are counted as one text joined by a space */
  constructor(options: { name: string; help: string; labels: string[]; registers: Registry[] }) {
    const { name, help, labels, registers } = options
    const tally = this
    new Counter({
      name,
      help,
      labelNames: labels,
      registers,
      collect() {
        this.reset()
        for (const [key, count] of tally.#counts) {
          const values = key.split(' ')
          this.inc(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])), count)
        }
      },
    })
  }

  /** Counts one. @param key the labels' values; two of them joined by a space */
  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }
}
