/** What is taken for a curve that goes on rising. */
import { expect, it } from 'vitest'
import { rises } from '../../../bench/report/soak-page.ts'
import type { Point, SoakResult } from '../../../bench/scenarios/soak.ts'

type Curve = (minute: number) => number

/** A soak whose gateways and Redis hold so much at each minute. */
const soakOf = (minutes: number, gateway: Curve, redis: Curve) =>
  ({
    points: Array.from({ length: minutes * 3 }, (_, n): Point => {
      const minute = (n + 1) / 3
      const data = redis(minute)
      const gateways = [gateway(minute), gateway(minute)]
      return { minute, gateways, redis: data, redisData: data, perSecond: 1, ackP99: 1 }
    }),
  }) as unknown as SoakResult

/** What Redis holds while refs are remembered for ten to twenty minutes, each bucket's ending at another time. */
const filling: Curve = (minute) =>
  300 + 120 * (minute < 10 ? minute : 15 - Math.max(0, 20 - minute) ** 2 / 20)
const flat: Curve = (minute) => 500 + 10 * Math.sin(minute)

it('finds nothing wrong with gateways that are flat and a Redis that is full after twenty minutes', () => {
  expect(rises(soakOf(60, flat, filling))).toEqual([])
})

it('finds gateways that go on rising after ten minutes, and a Redis that does after twenty', () => {
  const leak: Curve = (minute) => minute * 2
  const leakingGateways = rises(soakOf(60, (minute) => flat(minute) + leak(minute), filling))
  expect(leakingGateways).toEqual([expect.stringContaining('both gateways')])
  const leakingRedis = rises(soakOf(60, flat, (minute) => filling(minute) + 3 * leak(minute)))
  expect(leakingRedis).toEqual([expect.stringContaining('Redis'), expect.stringContaining('data in Redis')])
})

it('does not judge what had no time to become flat', () => {
  expect(rises(soakOf(6, (minute) => minute * 100, filling))).toEqual([])
})
