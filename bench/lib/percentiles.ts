/**
 * Percentiles of all samples, exact: a run has at most some millions, which sort in a moment.
 */

export interface Percentiles {
  count: number
  p50: number
  p99: number
  p999: number
  max: number
}

/** @param lists samples of several generators @returns NaN in every place where there was no sample */
export function percentilesOf(lists: readonly Float64Array[]): Percentiles {
  const samples = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    samples.set(list, at)
    at += list.length
  }
  samples.sort()
  // The smallest sample that at least this share of all samples does not exceed.
  const percentile = (share: number) =>
    samples[Math.max(0, Math.ceil(samples.length * share) - 1)] ?? Number.NaN
  return {
    count: samples.length,
    p50: percentile(0.5),
    p99: percentile(0.99),
    p999: percentile(0.999),
    max: percentile(1),
  }
}
