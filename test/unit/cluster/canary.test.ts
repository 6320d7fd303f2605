/** The canary's own judgement: which buckets are silent, and when nothing can be said. The clock is the test's. */
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Canary } from '../../../src/cluster/canary.ts'

const BUCKETS = 1024
const STEP_MS = 100

let canary: Canary
let bus: { whole: boolean; publishPresence: () => Promise<void>; close: () => Promise<void> } & {
  sendCanary(buckets: readonly number[], round: number): Promise<void>
  restart(buckets: ReadonlySet<number>): void
}
let sent: number[]
let restarted: number[][]
/** Buckets whose signs don't come back. */
let dead: Set<number>
let fails: boolean

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  restarted = []
  dead = new Set()
  fails = false
  bus = {
    whole: true,
    publishPresence: async () => {},
    close: async () => {},
    async sendCanary(buckets) {
      if (fails) throw new Error('Redis is away')
      sent.push(...buckets)
      for (const bucket of buckets) if (!dead.has(bucket)) canary.heard(bucket)
    },
    restart: (buckets) => restarted.push([...buckets]),
  }
  canary = new Canary({ bus: () => bus, buckets: BUCKETS, log: pino({ level: 'silent' }) })
  canary.start()
})

afterEach(() => {
  canary.close()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('the canary', () => {
  it('goes through every bucket once in 2 s, and takes nothing for silent that answers', async () => {
    await pass(2_000)
    expect(sent.toSorted((a, b) => a - b)).toEqual(Array.from({ length: BUCKETS }, (_, bucket) => bucket))
    await pass(10_000)
    expect(restarted).toEqual([])
    expect(canary.alive).toBe(true)
  })

  it('[P4] finds any silent bucket within 3 s', async () => {
    for (const bucket of [0, 517, BUCKETS - 1]) {
      restarted = []
      dead = new Set([bucket])
      await pass(3_000)
      expect(restarted[0]).toEqual([bucket])
      dead = new Set()
      await pass(3_000)
    }
  })

  it('[P4] sends a sign through an only bucket twice a second, and finds it silent as soon', async () => {
    canary.close()
    canary = new Canary({ bus: () => bus, buckets: 1, log: pino({ level: 'silent' }) })
    canary.start()
    await pass(2_000)
    expect(sent).toEqual([0, 0, 0, 0])
    dead = new Set([0])
    await pass(2_000)
    expect(restarted[0]).toEqual([0])
  })

  it('finds a feed that is dead as a whole, and is not alive then', async () => {
    dead = new Set(Array.from({ length: BUCKETS }, (_, bucket) => bucket))
    await pass(3_100)
    expect(restarted.length).toBeGreaterThan(0)
    expect(canary.alive).toBe(false)
    dead.clear()
    await pass(200)
    expect(canary.alive).toBe(true)
  })

  it('does not take its own lateness for a dead feed', async () => {
    await pass(500)
    // Signs are under way while the loop is held up for 5 s; they are read right after the first late tick.
    const late: number[] = []
    bus.sendCanary = async (buckets) => void late.push(...buckets)
    await pass(STEP_MS)
    vi.setSystemTime(Date.now() + 5_000)
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5_000)
    await pass(STEP_MS)
    expect(restarted).toEqual([])
    for (const bucket of late) canary.heard(bucket)
    await pass(800)
    expect(restarted).toEqual([])
  })

  it('says nothing about the feed while Redis can’t be reached for commands', async () => {
    fails = true
    await pass(5_000)
    expect(restarted).toEqual([])
  })

  it('leaves a feed alone that is being mended', async () => {
    dead = new Set([3])
    await pass(500)
    bus.whole = false
    await pass(5_000)
    expect(restarted).toEqual([])
  })
})
