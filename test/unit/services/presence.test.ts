/** Presence on one node: graces, batches, and news that come late. The store's answers are the test's. */
import type { SessionId, UserId } from '@starling/protocol/ids'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OnlinePort, PresenceBatch, SessionPort } from '../../../src/services/ports.ts'
import { Presence } from '../../../src/services/presence.ts'

const alice = 'alice' as UserId
const bob = '__proto__' as UserId
const [one, two] = ['one', 'two'] as string[] as [SessionId, SessionId]

let presence: Presence
/** What the store was asked, and what was told to all gateways. */
let asked: string[]
let told: PresenceBatch[]
/** What changed, as watchers hear it. */
let heard: string[]
let ends: (user: UserId, session: SessionId) => Promise<{ gone: number | undefined }>

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  told = []
  heard = []
  ends = async () => ({ gone: 2 })
  presence = new Presence({
    sessions: {
      endPresence(user: UserId, session: SessionId) {
        asked.push(`end ${user} ${session}`)
        return ends(user, session)
      },
      async release(user: UserId, session: SessionId) {
        asked.push(`release ${user} ${session}`)
      },
    } as SessionPort,
    online: {} as OnlinePort,
    tell: async (batch) => void told.push(batch),
    log: pino({ level: 'silent' }),
  })
  presence.onChange = (on, off) => heard.push(`on ${on} off ${off}`)
})

afterEach(() => vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('a leaving', () => {
  it('[P5] is told after the grace, within 5 s, and then released', async () => {
    presence.left(alice, one)
    await pass(1_999)
    expect(asked).toEqual([])
    await pass(200)
    expect(told).toEqual([{ on: [], off: [[alice, 2]] }])
    expect(asked).toEqual(['end alice one', 'release alice one'])
  })

  it('[P5] in the grace of an earlier one starts a new grace', async () => {
    presence.left(alice, one)
    await pass(1_900)
    presence.left(alice, two)
    await pass(1_900)
    expect(asked).toEqual([])
    await pass(200)
    expect(asked).toEqual(['end alice two', 'release alice two'])
  })

  it('is told of nobody who is back', async () => {
    ends = async () => ({ gone: undefined })
    presence.left(alice, one)
    await pass(3_000)
    expect(told).toEqual([])
    expect(asked).toEqual(['end alice one'])
  })

  it('[P5] is tried again while the store can’t be reached', async () => {
    let tries = 0
    ends = async () => {
      tries += 1
      if (tries < 3) throw new Error('away')
      return { gone: 4 }
    }
    presence.left(alice, one)
    await pass(7_000)
    expect(told).toEqual([{ on: [], off: [[alice, 4]] }])
  })

  it('[P5] of a node that closes is told before it ends', async () => {
    presence.left(alice, one)
    const closed = presence.close()
    await pass(2_000)
    await closed
    expect(told).toEqual([{ on: [], off: [[alice, 2]] }])
  })
})

describe('changes', () => {
  it('are gathered into one batch, the last one of a user', async () => {
    presence.came(alice, 1)
    presence.came(bob, 7)
    presence.came(alice, 3)
    await pass(100)
    expect(told).toHaveLength(1)
    expect(new Map(told[0]!.on)).toEqual(
      new Map([
        [alice, 3],
        [bob, 7],
      ]),
    )
  })

  it('that come late or twice are no news', () => {
    presence.hear({ on: [[alice, 3]], off: [] })
    presence.hear({ on: [], off: [[alice, 2]] })
    presence.hear({ on: [[alice, 3]], off: [] })
    presence.hear({ on: [], off: [[alice, 4]] })
    expect(heard).toEqual(['on alice off ', 'on  off alice'])
  })

  it('are looked at again after a node was taken out', () => {
    let doubts = 0
    presence.onDoubt = () => {
      doubts += 1
    }
    presence.hear({ on: [], off: [], reaped: true })
    expect([doubts, heard]).toEqual([1, []])
  })
})
