/**
 * Histograms on hot paths: an observation is one step in an array. The metrics library's own hash their labels at
 * every observation; here whoever observes holds the series, and the library only shows what it has counted.
 */
import type { Metric, Registry } from 'prom-client'

/** The observations of one label value. */
export class Series {
  readonly #bounds: Float64Array
  /** By bucket, not cumulative; the last one is for what is above every bound. */
  readonly #counts: Float64Array
  readonly #sum = new Float64Array(1)

  constructor(bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length + 1)
  }

  /** Notes one value, in the metric's own unit. Most values are small: the search starts at the low end. */
  observe(value: number): void {
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && value > bounds[at]!) at += 1
    this.#counts[at]! += 1
    this.#sum[0]! += value
  }

  /** @returns how many were at most each bound, how many there were in all, and their sum */
  read(): { cumulative: number[]; count: number; sum: number } {
    let count = 0
    const cumulative = Array.from(this.#counts, (here) => {
      count += here
      return count
    })
    return { cumulative: cumulative.slice(0, -1), count, sum: this.#sum[0]! }
  }
}

export class Histogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly labelNames: readonly string[]
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, Series>()

  /**
   * @param options.bounds upper bounds of the buckets, rising, in the metric's unit
   * @param options.label the one label, whose values must be a closed set; none: a single series
   */
  constructor(options: {
    name: string
    help: string
    bounds: readonly number[]
    label?: string
    registers: readonly Registry[]
  }) {
    this.name = options.name
    this.help = options.help
    this.labelNames = options.label === undefined ? [] : [options.label]
    this.#bounds = options.bounds
    // A registry asks a metric for its name and `get()`, and for nothing else.
    for (const registry of options.registers) registry.registerMetric(this as unknown as Metric)
  }

  /** @returns the series of a label value, made where there is none yet */
  series(value = ''): Series {
    const known = this.#series.get(value)
    if (known) return known
    const series = new Series(this.#bounds)
    this.#series.set(value, series)
    return series
  }

  /** What the registry shows. */
  async get() {
    const { name, help, type } = this
    const values = [...this.#series].flatMap(([value, series]) => this.#show(value, series))
    return { name, help, type, values, aggregator: 'sum' as const }
  }

  #show(value: string, series: Series) {
    const labels = Object.fromEntries(this.labelNames.map((label) => [label, value]))
    const { cumulative, count, sum } = series.read()
    const bucket = (le: number | string, many: number) => ({
      metricName: `${this.name}_bucket`,
      labels: { ...labels, le },
      value: many,
    })
    return [
      ...this.#bounds.map((bound, at) => bucket(bound, cumulative[at]!)),
      bucket('+Inf', count),
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}
