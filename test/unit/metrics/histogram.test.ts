import fc from 'fast-check'
import { Histogram as LibraryHistogram, Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { Histogram } from '../../../src/lib/histogram.ts'

const about = { name: 'starling_wait_seconds', help: 'A wait.' }
const bounds = [0.001, 0.01, 0.1, 1]

/** What a registry shows, whatever the order of labels. */
async function shown(registry: Registry) {
  const [metric] = await registry.getMetricsAsJSON()
  const { name, help, type, values } = metric as unknown as {
    name: string
    help: string
    type: string
    values: { metricName: string; labels: object; value: number }[]
  }
  return {
    name,
    help,
    type,
    values: values.map(({ metricName, labels, value }) => ({ metricName, labels, value })),
  }
}

const observations = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.double({ min: 0, max: 5, noNaN: true })))

it('shows what the metrics library’s own histogram shows of the same observations', async () => {
  await fc.assert(
    fc.asyncProperty(observations, async (list) => {
      const [ours, theirs] = [new Registry(), new Registry()]
      const histogram = new Histogram({ ...about, bounds, label: 'script', registers: [ours] })
      const library = new LibraryHistogram({
        ...about,
        buckets: bounds,
        labelNames: ['script'],
        registers: [theirs],
      })
      for (const [script, value] of list) {
        histogram.series(script).observe(value)
        library.observe({ script }, value)
      }
      expect(await shown(ours)).toEqual(await shown(theirs))
    }),
  )
})

it('counts a value that is a bound within it, and one above all of them under +Inf alone', async () => {
  const registry = new Registry()
  const series = new Histogram({ ...about, bounds, registers: [registry] }).series()
  for (const value of [0.01, 7]) series.observe(value)
  expect(await registry.metrics()).toBe(`# HELP starling_wait_seconds A wait.
# TYPE starling_wait_seconds histogram
starling_wait_seconds_bucket{le="0.001"} 0
starling_wait_seconds_bucket{le="0.01"} 1
starling_wait_seconds_bucket{le="0.1"} 1
starling_wait_seconds_bucket{le="1"} 1
starling_wait_seconds_bucket{le="+Inf"} 2
starling_wait_seconds_sum 7.01
starling_wait_seconds_count 2
`)
})

it('keeps one series for a label value, whoever asks for it', () => {
  const histogram = new Histogram({ ...about, bounds, label: 'script', registers: [] })
  expect(histogram.series('__proto__')).toBe(histogram.series('__proto__'))
  expect(histogram.series('a')).not.toBe(histogram.series('b'))
})
