/** A node's own lease: kept, lost, gone on from once at a time; the leases of others, claimed with patience. */
import type { NodeId, UserId } from '@starling/protocol/ids'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Lease } from '../../../src/cluster/lease.ts'
import type { NodeStore } from '../../../src/store/node-store.ts'
import type { OnlineStore } from '../../../src/store/online-store.ts'

const [me, next, dead] = ['me~1', 'me~2', 'dead~1'] as string[] as [NodeId, NodeId, NodeId]

/** Who has a lease in Redis, and whose has lapsed. */
let living: Set<NodeId>
let lapsed: NodeId[]
let failing: boolean
let lease: Lease
let lost: () => Promise<void>
let done: string[]
/** Buckets in which calls of the dead node broke off, and whether they can't be finished now. */
let cutShort: Set<number>
let stuck: boolean

beforeEach(async () => {
  vi.useFakeTimers()
  living = new Set()
  lapsed = []
  failing = false
  done = []
  cutShort = new Set()
  stuck = false
  lost = async () => {}
  const away = () => {
    if (failing) throw new Error('Redis is away')
  }
  lease = new Lease({
    node: me,
    buckets: 3,
    info: () => ({ node: 'me', connections: 0, since: 0 }),
    log: pino({ level: 'silent' }),
    nodes: {
      async renew(node: NodeId, _ms: number, first: boolean) {
        away()
        if (!first && !living.has(node)) return { is: 'lost' }
        living.add(node)
        return { is: 'ok', lapsed }
      },
      async claim(node: NodeId) {
        away()
        done.push(`claim ${node}`)
        return lapsed.includes(node)
      },
      async reaped(node: NodeId) {
        lapsed = lapsed.filter((one) => one !== node)
        done.push(`reaped ${node}`)
      },
      async giveUp(node: NodeId) {
        living.delete(node)
      },
    } as unknown as NodeStore,
    online: {
      async reap(bucket: number) {
        away()
        done.push(`reap ${bucket}`)
        return {
          left: 0,
          sessions: 0,
          untold: cutShort.has(bucket) ? 1 : 0,
          gone: bucket === 1 ? [['alice' as UserId, 2]] : [],
        }
      },
    } as unknown as OnlineStore,
    events: {
      lost: () => lost(),
      reaped: async (gone, last) =>
        void done.push(`told ${gone.map(([user]) => user)}${last ? ' last' : ''}`),
      async untold(node, buckets) {
        away()
        done.push(`finish ${node} ${buckets}`)
        if (stuck) throw new Error('a user cannot be told')
      },
    },
  })
  await lease.start()
})

afterEach(() => vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a lost lease', () => {
  it('is gone on from once, however long that takes', async () => {
    let begun = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    lost = async () => {
      begun += 1
      await promise
      await lease.restart(next)
    }
    living.delete(me)
    await pass(10_000)
    expect(begun).toBe(1)
    resolve()
    await pass(5_000)
    expect([begun, [...living]]).toEqual([1, [next]])
  })

  it('[P5] is gone on from under a lease that is kept meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    lost = async () => {
      await lease.restart(next)
      await promise
    }
    living.delete(me)
    await pass(60_000)
    expect(lease.ageMs).toBeLessThanOrEqual(1_000)
    resolve()
    await pass(5_000)
    expect([lease.ageMs <= 1_000, [...living]]).toEqual([true, [next]])
    await lease.close({ mayGiveUp: async () => true })
    await pass(5_000)
    expect([...living]).toEqual([])
  })

  it('is gone on from again where that failed half-way', async () => {
    let begun = 0
    lost = async () => {
      begun += 1
      await lease.restart(next)
      if (begun < 3) throw new Error('Redis is away')
    }
    living.delete(me)
    await pass(10_000)
    expect([begun, [...living]]).toEqual([3, [next]])
  })

  it('is not to be seen while Redis is away', async () => {
    lost = async () => void done.push('lost')
    failing = true
    await pass(60_000)
    failing = false
    await pass(2_000)
    expect([done, [...living]]).toEqual([[], [me]])
  })
})

describe('the end of others', () => {
  it('[P5] is found and dealt with, bucket by bucket, and told', async () => {
    await pass(10_000)
    lapsed = [dead]
    await pass(2_000)
    expect(done).toEqual([
      `claim ${dead}`,
      'reap 0',
      'reap 1',
      'reap 2',
      'told alice',
      'told  last',
      `reaped ${dead}`,
    ])
  })

  it('[P1] is over only when the calls it cut short have been finished, after everybody is offline', async () => {
    await pass(10_000)
    cutShort = new Set([0, 2])
    stuck = true
    lapsed = [dead]
    await pass(1_000)
    expect(done.slice(-3)).toEqual(['told alice', 'told  last', `finish ${dead} 0,2`])
    stuck = false
    await pass(1_000)
    expect(done.slice(-2)).toEqual([`finish ${dead} 0,2`, `reaped ${dead}`])
  })

  it('[P5] is dealt with soon after a start, for nodes that live no longer than some seconds', async () => {
    lapsed = [dead]
    await pass(2_500)
    expect(done).toEqual([])
    await pass(1_500)
    expect(done).toContain(`reaped ${dead}`)
  })

  it('is not believed at once under a new id, whose old one has lapsed as well', async () => {
    await pass(10_000)
    lost = () => lease.restart(next)
    living.delete(me)
    await pass(1_000)
    lapsed = [dead]
    await pass(7_000)
    expect([done, [...living]]).toEqual([[], [next]])
    await pass(2_000)
    expect(done).toContain(`reaped ${dead}`)
  })

  it('is not believed after Redis was away: the others get the time to renew', async () => {
    await pass(20_000)
    failing = true
    await pass(20_000)
    failing = false
    lapsed = [dead]
    await pass(7_000)
    expect(done).toEqual([])
    await pass(3_000)
    expect(done).toContain(`reaped ${dead}`)
  })

  it('is never its own', async () => {
    lapsed = [me]
    await pass(20_000)
    expect(done).toEqual([])
  })
})
