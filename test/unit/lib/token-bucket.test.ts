/** A token bucket: the burst at once, then the rate, never more. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../../src/lib/token-bucket.ts'

describe('a token bucket', () => {
  it('gives its burst at once, then says how long to wait', () => {
    const bucket = new TokenBucket(50, 3, 1000)
    expect([1, 2, 3].map(() => bucket.take(1000))).toEqual([0, 0, 0])
    expect(bucket.take(1000)).toBe(20)
    expect(bucket.take(1010)).toBe(10)
    expect(bucket.take(1020)).toBe(0)
    expect(bucket.take(1020)).toBe(20)
  })

  it('keeps no more than its burst, however long nobody came', () => {
    const bucket = new TokenBucket(50, 2, 0)
    expect([1, 2, 3].map(() => bucket.take(1_000_000))).toEqual([0, 0, 20])
  })

  it('gives nothing for a clock that goes back', () => {
    const bucket = new TokenBucket(1000, 1, 5000)
    expect(bucket.take(5000)).toBe(0)
    expect(bucket.take(1000)).toBeGreaterThan(0)
    expect(bucket.take(1001)).toBe(0)
  })

  it('serves one who waits as long as told', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 50 }), (rate, burst) => {
        const bucket = new TokenBucket(rate, burst, 0)
        for (let i = 0; i < burst; i++) expect(bucket.take(0)).toBe(0)
        const wait = bucket.take(0)
        expect(wait).toBeGreaterThan(0)
        expect(bucket.take(wait)).toBe(0)
      }),
    )
  })

  it('never gives more than burst and rate together', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(50), { maxLength: 200 }),
        (rate, burst, steps) => {
          const bucket = new TokenBucket(rate, burst, 0)
          let now = 0
          let given = 0
          for (const step of steps) {
            now += step
            if (bucket.take(now) === 0) given += 1
          }
          expect(given).toBeLessThanOrEqual(burst + (now * rate) / 1000 + 1e-6)
        },
      ),
    )
  })
})
