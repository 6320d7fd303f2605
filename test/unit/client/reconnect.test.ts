import { describe, expect, it } from 'vitest'
import { backoffMs, Endpoints, waitMs } from '../../../client/src/reconnect.ts'

describe('back-off', () => {
  it('is full jitter below bounds that double from 0.5 s to 30 s', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 60].map((attempt) => backoffMs(attempt, () => 1))
    expect(bounds).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    expect(backoffMs(3, () => 0)).toBe(0)
    expect(backoffMs(3, () => 0.25)).toBe(1_000)
  })

  it('stays finite after any number of attempts', () => {
    expect(backoffMs(5_000, () => 0.5)).toBe(15_000)
  })

  it('leaves a time that the server has named as it is', () => {
    expect(waitMs({ kind: 'exactly', ms: 700 }, () => 0.1)).toBe(700)
    expect(waitMs({ kind: 'backoff', attempt: 0 }, () => 0.1)).toBe(50)
  })
})

describe('endpoints', () => {
  it('are all tried before one is tried again', () => {
    const randoms = [0.99, 0.1, 0.5, 0, 0.7, 0.3]
    const endpoints = new Endpoints(['a', 'b', 'c'], () => randoms.shift() ?? 0)
    const round = () => [endpoints.next(), endpoints.next(), endpoints.next()]
    const first = round()
    const second = round()
    expect([...first].sort()).toEqual(['a', 'b', 'c'])
    expect([...second].sort()).toEqual(['a', 'b', 'c'])
    expect(second).not.toEqual(first)
  })

  it('are all tried before one whose node has said that it leaves', () => {
    const endpoints = new Endpoints(['a', 'b', 'c'], () => 0)
    expect(endpoints.next()).toBe('a')
    endpoints.postpone('a')
    expect([endpoints.next(), endpoints.next()].sort()).toEqual(['b', 'c'])
    const one = new Endpoints(['a'], () => 0)
    one.postpone(one.next())
    expect(one.next()).toBe('a')
  })
})
