/**
 * Counting on hot paths: a number per label in a map, read when somebody looks. The metrics library's own counters
 * hash their labels at every step, which costs more than passing a frame on.
 */
import { Counter, type Registry } from 'prom-client'

export class Tally {
  readonly #counts = new Map<string, { count: number }>()

  /**
   * @param options.labels names of the labels; several are counted as one text joined by a space
   * @param options.zeros keys that are shown from the start: an alert on a first step needs a zero before it
   */
  constructor(options: {
    name: string
    help: string
    labels: readonly string[]
    zeros?: readonly string[]
    registers: Registry[]
  }) {
    const { name, help, labels, zeros = [], registers } = options
    const counts = this.#counts
    for (const key of zeros) counts.set(key, { count: 0 })
    new Counter({
      name,
      help,
      labelNames: labels,
      registers,
      collect() {
        this.reset()
        for (const [key, { count }] of counts) {
          const values = key.split(' ')
          this.inc(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])), count)
        }
      },
    })
  }

  /** Counts one. @param key the labels' values; two of them joined by a space */
  add(key: string): void {
    const known = this.#counts.get(key)
    if (known) known.count += 1
    else this.#counts.set(key, { count: 1 })
  }
}
