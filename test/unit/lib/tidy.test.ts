/** When garbage is collected: once, when it has gone quiet after a burst. The clock and the load are the test's. */
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Tidy } from '../../../src/lib/tidy.ts'

let tidy: Tidy
let collected: number
let utilization: number

beforeEach(() => {
  vi.useFakeTimers()
  collected = 0
  vi.spyOn(performance, 'eventLoopUtilization').mockImplementation(() => ({
    idle: 0,
    active: 0,
    utilization,
  }))
  tidy = new Tidy(() => collected++)
  tidy.start()
})

afterEach(() => {
  tidy.close()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const pass = (seconds: number, load: number) => {
  utilization = load
  return vi.advanceTimersByTimeAsync(seconds * 1_000)
}

it('collects once after the start, and once after each burst, when it is quiet', async () => {
  await pass(5, 0.5)
  expect(collected).toBe(0)
  await pass(60, 0.01)
  expect(collected).toBe(1)
  await pass(10, 0.9)
  await pass(60, 0.01)
  expect(collected).toBe(2)
})

it('leaves one alone that has something to do', async () => {
  await pass(60, 0.1)
  expect(collected).toBe(0)
  await pass(10, 0.01)
  await pass(60, 0.1)
  await pass(60, 0.01)
  expect(collected).toBe(1)
})

it('collects of a busy one that has grown by much, once in five minutes', async () => {
  const rss = process.memoryUsage.rss()
  const keeps = (bytes: number) => vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(rss + bytes)
  await pass(10, 0)
  expect(collected).toBe(1)
  keeps(32 * 1024 ** 2)
  await pass(600, 0.5)
  expect(collected).toBe(1)
  keeps(128 * 1024 ** 2)
  await pass(600, 0.5)
  expect(collected).toBe(2)
  keeps(256 * 1024 ** 2)
  await pass(600, 0.5)
  expect(collected).toBe(3)
})

it('frees what nobody holds any more', async () => {
  tidy.close()
  vi.restoreAllMocks()
  const gone = new WeakRef({})
  await Promise.resolve()
  tidy = new Tidy()
  utilization = 0
  vi.spyOn(performance, 'eventLoopUtilization').mockReturnValue({ idle: 0, active: 0, utilization: 0 })
  tidy.start()
  await vi.advanceTimersByTimeAsync(5_000)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(gone.deref()).toBeUndefined()
})
