import { expect, it } from 'vitest'
import { nowUs } from '../../../bench/load/clock.ts'
import { pace } from '../../../bench/load/pacer.ts'

it('calls for everything on a schedule once, in order, and never too early', async () => {
  const startUs = nowUs()
  const schedule = { startUs, endUs: startUs + 50_000, ratePerSecond: 2_000 }
  const called: number[] = []
  let early = 0
  await pace(schedule, (index, dueUs) => {
    called.push(index)
    // The two threads read one clock, each by its own reckoning.
    if (nowUs() < dueUs - 1_000) early++
  })
  expect(called).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(early).toBe(0)
})

it('ends when everything was due before it began', async () => {
  const endUs = nowUs() - 1_000_000
  const called: number[] = []
  await pace({ startUs: endUs - 10_000, endUs, ratePerSecond: 1_000 }, (index) => called.push(index))
  expect(called).toHaveLength(10)
})
