import { expect, it } from 'vitest'
import { riseOf } from '../../../bench/lib/trend.ts'

const curve = (...values: number[]) => values.map((y, x) => ({ x, y }))

it('says by which share of its median a curve rises over its length', () => {
  expect(riseOf(curve(100, 110, 120))).toBeCloseTo(20 / 110)
  expect(riseOf(curve(120, 110, 100))).toBeCloseTo(-20 / 110)
})

it('calls a curve flat that goes up and down', () => {
  expect(Math.abs(riseOf(curve(100, 120, 100, 120, 100)))).toBeLessThan(0.001)
  expect(riseOf(curve(100))).toBe(0)
})

it('follows no burst that is over, and a rise below bursts', () => {
  const bursts = (leak: number) =>
    curve(...Array.from({ length: 50 }, (_, x) => 100 + leak * x + (x % 10 > 7 ? 200 : 0)))
  const late = curve(...Array.from({ length: 50 }, (_, x) => (x > 40 && x < 47 ? 300 : 100)))
  expect(riseOf(bursts(0))).toBe(0)
  expect(riseOf(late)).toBe(0)
  expect(riseOf(bursts(0.5))).toBeGreaterThan(0.15)
})
