/** Whether something between a client's position and what is left of a log can't be sent any more. */
import type { InboxPosition } from '@starling/protocol/ids'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { hasGap } from '../../../src/services/sync.ts'

const at = (seq: number, ms = 1000) => `${ms}-${seq}` as InboxPosition

describe('hasGap', () => {
  test.each([
    ['everything is there', at(5), at(1), at(9), false],
    ['the next one is the oldest', at(5), at(6), at(9), false],
    ['the next one is gone', at(5), at(7), at(9), true],
    ['nothing is left, and nothing was missed', at(9), undefined, at(9), false],
    ['nothing is left, and something was missed', at(8), undefined, at(9), true],
    ['an empty log', at(0), undefined, at(0), false],
    ['from before the first of a whole log', at(0), at(1), at(9), false],
    ['from before the first of a trimmed log', at(0), at(2), at(9), true],
    ['at the head', at(9), at(1), at(9), false],
    ['above the head: never given out, or lost', at(10), at(1), at(9), true],
    ['above the head of an empty log', at(1), undefined, at(0), true],
  ])('%s', (_what, position, first, head, gap) => expect(hasGap(position, first, head)).toBe(gap))

  it('goes by the dense number, whatever the times are', () => {
    expect(hasGap(at(5, 999_999), at(6, 1), at(9, 2))).toBe(false)
    expect(hasGap(at(5, 0), at(7, 1), at(9, 2))).toBe(true)
  })

  it('is false exactly where every number after the position is still there', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 20 }), fc.nat(20), (position, first, head) => {
        const left = Array.from({ length: Math.max(0, head - first + 1) }, (_, i) => first + i)
        const wanted = Array.from({ length: Math.max(0, head - position) }, (_, i) => position + 1 + i)
        const gap = position > head || !wanted.every((seq) => left.includes(seq))
        expect(hasGap(at(position), left.length > 0 ? at(first) : undefined, at(head))).toBe(gap)
      }),
    )
  })
})
