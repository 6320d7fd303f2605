/**
 * Whether a cost has risen: by more than chance, and by more than is worth a word.
 */
import { spreadOf } from './statistics.ts'

export interface Comparison {
  before: number
  now: number
  /** Now by before, of the medians. */
  ratio: number
  isLoss: boolean
}

/** A loss that nobody would notice is none. */
const WORTH_A_WORD = 0.15

/**
 * @param before costs measured before the change @param now and with it, in turn with them
 * @returns a loss where the medians differ by more than 15 % and by more than either side's own spread
 */
export function compareCosts(before: readonly number[], now: readonly number[]): Comparison {
  const [old, young] = [spreadOf(before), spreadOf(now)]
  const spread = Math.max(old.max - old.min, young.max - young.min)
  const rise = young.median - old.median
  return {
    before: old.median,
    now: young.median,
    ratio: young.median / old.median,
    isLoss: rise > old.median * WORTH_A_WORD && rise > spread,
  }
}
