import { expect, it } from 'vitest'
import { compareCosts } from '../../../bench/lib/compare.ts'

it('calls a rise above 15 % a loss when it is larger than the spread of both sides', () => {
  expect(compareCosts([100, 101, 102], [120, 121, 122])).toEqual({
    before: 101,
    now: 121,
    ratio: 121 / 101,
    isLoss: true,
  })
})

it('takes a rise of 15 % or less for no loss, however sure it is', () => {
  expect(compareCosts([100, 100, 100], [115, 115, 115]).isLoss).toBe(false)
  expect(compareCosts([100, 100, 100], [116, 116, 116]).isLoss).toBe(true)
})

it('takes a rise within the spread of either side for no loss, however large it is', () => {
  expect(compareCosts([80, 100, 140], [130, 130, 130]).isLoss).toBe(false)
  expect(compareCosts([100, 100, 100], [110, 140, 160]).isLoss).toBe(false)
})

it('takes a gain for no loss', () => {
  expect(compareCosts([100, 101, 102], [50, 51, 52])).toMatchObject({ ratio: 51 / 101, isLoss: false })
})

it('finds no loss where nothing was measured', () => {
  expect(compareCosts([], [100]).isLoss).toBe(false)
  expect(compareCosts([100], []).isLoss).toBe(false)
})
