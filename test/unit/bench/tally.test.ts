import { expect, it } from 'vitest'
import { Tally } from '../../../bench/load/tally.ts'

const tallyOf = (...numbers: number[]) => {
  const tally = new Tally()
  for (const n of numbers) tally.note(n)
  const { received, doubled, outOfOrder } = tally
  return { received, doubled, outOfOrder }
}

it('counts what comes once and in order', () => {
  expect(tallyOf(0, 1, 2)).toEqual({ received: 3, doubled: 0, outOfOrder: 0 })
})

it('tells a late one from one that came twice', () => {
  expect(tallyOf(0, 2, 1, 3)).toEqual({ received: 4, doubled: 0, outOfOrder: 1 })
  expect(tallyOf(0, 1, 1, 2)).toEqual({ received: 3, doubled: 1, outOfOrder: 0 })
})

it('does not count what never came', () => {
  expect(tallyOf(0, 3)).toEqual({ received: 2, doubled: 0, outOfOrder: 0 })
})
