import type { InboxPosition, MessageId, UserId } from '@starling/protocol/ids'
import { beforeEach, expect, it, vi } from 'vitest'
import type { BusEvent } from '../../../src/bus/bus.ts'
import { Hub } from '../../../src/gateway/hub.ts'
import { noteEvents } from '../../../src/gateway/note-events.ts'
import type { Session } from '../../../src/gateway/session.ts'
import { createMetrics, type Metrics } from '../../../src/lib/metrics.ts'

const NOW = 1_760_000_000_000
const frame = Buffer.from('{}')
const position = (ms: number) => `${ms}-1` as MessageId & InboxPosition
const message = (topic: string, ms: number): BusEvent => ({
  kind: 'message',
  topic,
  position: position(ms),
  frame,
})

let metrics: Metrics
let note: (event: BusEvent) => void

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
  metrics = createMetrics()
  const hub = new Hub()
  const bob = hub.user('bob' as UserId, position(0))
  bob.sessions = [{}, {}] as Session[]
  note = noteEvents({ metrics, hub, followers: (topic) => (topic === 'group:eng' ? 40 : 0) })
  return () => vi.useRealTimers()
})

it('says how long ago Redis stored what comes, in seconds', () => {
  note(message('user:bob', NOW - 250))
  expect(metrics.deliveryLatency.read()).toMatchObject({ count: 1, sum: 0.25 })
})

it('takes a message from a clock that is ahead for one that came at once', () => {
  note(message('user:bob', NOW + 60_000))
  expect(metrics.deliveryLatency.read()).toMatchObject({ count: 1, sum: 0 })
})

it('counts the sockets that an event is for: those of a user, those that follow a conversation, or none', () => {
  note({ kind: 'typing', topic: 'user:bob', frame })
  note(message('group:eng', NOW))
  note({ kind: 'frame', topic: 'user:gone', frame })
  expect(metrics.fanout.read()).toMatchObject({ count: 3, sum: 2 + 40 + 0 })
  expect(metrics.deliveryLatency.read().count).toBe(1)
})

it('leaves orders out: they go to no socket', () => {
  note({
    kind: 'control',
    topic: 'user:bob',
    order: { do: 'kick', user: 'bob' as UserId, session: '*' },
  })
  expect(metrics.fanout.read().count).toBe(0)
})
