/** After a break: what is held back, who is told to sync, and that it is done until it is done. Redis’ answers are the test's. */
import {
  type ConvId,
  type GroupId,
  groupConv,
  type InboxPosition,
  type MessageId,
  type UserId,
} from '@starling/protocol/ids'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Doubts } from '../../../src/gateway/doubts.ts'
import { Fanout } from '../../../src/gateway/fanout.ts'
import { Follow } from '../../../src/gateway/follow.ts'
import { Hub } from '../../../src/gateway/hub.ts'
import { type First, Recovery } from '../../../src/gateway/recovery.ts'
import type { Identity, LocalUser, Session } from '../../../src/gateway/session.ts'
import type { SessionPort } from '../../../src/services/ports.ts'
import type { Presence } from '../../../src/services/presence.ts'

const log = pino({ level: 'silent' })
const group = 'g' as GroupId
const conv = groupConv(group)
const CONV_BUCKET = 1
const USER_BUCKET = 2
const bucketOf = (topic: string) => (topic.startsWith('user:') ? USER_BUCKET : CONV_BUCKET)
const at = (seq: number) => `1000-${seq}` as MessageId & InboxPosition

/** What is true in Redis. */
let members: Map<string, MessageId>
let heads: { conv: MessageId; inbox: InboxPosition }
/** What comes first behind what was forwarded: of the group's log, of an inbox. */
let first: { conv: First | undefined; inbox: First | undefined }
let failing: boolean
/** While set, attaches wait for it. */
let gate: Promise<void> | undefined

let hub: Hub
let fanout: Fanout
let recovery: Recovery
let doubtful: Doubts
/** What went to the topics of conversations, and to users. */
let published: string[]
let rejoined: string[]
let doubts: number

beforeEach(async () => {
  vi.useFakeTimers()
  members = new Map([
    ['alice', at(1)],
    ['bob', at(1)],
  ])
  heads = { conv: at(5), inbox: at(3) }
  first = { conv: undefined, inbox: undefined }
  failing = false
  gate = undefined
  published = []
  rejoined = []
  doubts = 0
  hub = new Hub()
  const fails = () => {
    if (failing) throw new Error('Redis is away')
  }
  const follow = new Follow({
    hub,
    log,
    port: {
      async attach(_conv, user) {
        await gate
        fails()
        return { head: heads.conv, joined: user === undefined ? at(1) : members.get(user) }
      },
      detach: async () => {},
      missed: async (_conv, _user, since) => ({ frames: [], head: since }),
    },
  })
  const topics = {
    publish: (topic: string, frame: string | Uint8Array) => published.push(`${topic} ${frame}`),
  }
  doubtful = new Doubts(bucketOf)
  recovery = new Recovery({
    hub,
    follow,
    topics,
    doubts: doubtful,
    log,
    sessions: {
      async rejoin(user: UserId) {
        fails()
        rejoined.push(user)
        return { came: undefined, inboxHead: heads.inbox, groups: members.has(user) ? [group] : [] }
      },
    } as unknown as SessionPort,
    presence: {
      onDoubt: () => {
        doubts += 1
      },
    } as unknown as Presence,
    heads: {
      async inboxHead() {
        fails()
        return heads.inbox
      },
      async convHead() {
        fails()
        return heads.conv
      },
      attach: async () => fails(),
      async firstInInbox() {
        fails()
        return first.inbox
      },
      async firstInConv() {
        fails()
        return first.conv
      },
    },
    bucketOf,
  })
  fanout = new Fanout({ hub, topics, follow, doubts: doubtful, log })
  for (const name of ['alice', 'bob']) await follow.enter(someoneHere(name).here, group)
})

afterEach(() => {
  recovery.close()
  vi.useRealTimers()
})

interface Here {
  here: LocalUser
  topics: Set<string>
  got: string[]
}
const everybody = new Map<string, Here>()

/** A user with one live session, what it follows and what it was sent. */
function someoneHere(name: string): Here {
  const topics = new Set<string>()
  const got: string[] = []
  const session = {
    state: { is: 'live' },
    identity: { user: name } as Identity,
    deliver: (frame: string | Uint8Array) => got.push(String(frame)),
    connection: {
      subscribe: (topic: string) => topics.add(topic),
      unsubscribe: (topic: string) => topics.delete(topic),
      buffered: () => 0,
    },
  } as unknown as Session
  const here = hub.user(name as UserId, heads.inbox)
  here.sessions = [session]
  const one = { here, topics, got }
  everybody.set(name, one)
  return one
}

const message = (seq: number) =>
  fanout.event({ kind: 'message', topic: conv, position: at(seq), frame: Buffer.from(`message ${seq}`) })
const buckets = (...list: number[]) => new Set(list)
const follows = (name: string) => everybody.get(name)!.topics.has(conv)
const resyncs = () => published.filter((frame) => frame.includes('"resync"'))
const recover = () => vi.advanceTimersByTimeAsync(2_000)

describe('a broken feed', () => {
  it('[P6] holds a group’s messages back until its members were looked at again', async () => {
    doubtful.begin(buckets(CONV_BUCKET))
    members.delete('bob') // the order to let bob go is lost with the feed
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    message(7)
    recovery.mended(buckets(CONV_BUCKET))
    await vi.advanceTimersByTimeAsync(100)
    message(8)
    expect([published, follows('bob')]).toEqual([[], true])
    heads.conv = at(8)
    resolve()
    await recover()
    expect([follows('alice'), follows('bob')]).toEqual([true, false])
    expect(resyncs()).toEqual([`${conv} {"op":"resync","convs":["${conv}"],"within":2000}`])
    message(9)
    expect(published.at(-1)).toBe(`${conv} message 9`)
  })

  it('[P4] shows first that a log went back: new messages with the seqs of lost ones follow without a jump', async () => {
    const later = (seq: number) => `2000-${seq}` as MessageId & InboxPosition
    doubtful.begin(buckets(CONV_BUCKET))
    heads.conv = later(5) // after a failover: what was 1000-5 is lost, another message has its seq
    first.conv = { position: later(5), frame: 'message 5 anew' }
    recovery.mended(buckets(CONV_BUCKET))
    await recover()
    const resync = `${conv} {"op":"resync","convs":["${conv}"],"within":2000}`
    expect(published).toEqual([`${conv} message 5 anew`, resync])

    // The same where it comes while the group is in doubt, and is held back.
    published.length = 0
    doubtful.begin(buckets(CONV_BUCKET))
    const frame = Buffer.from('message 4 anew')
    fanout.event({ kind: 'message', topic: conv, position: '3000-4' as MessageId & InboxPosition, frame })
    heads.conv = '3000-4' as MessageId
    first.conv = undefined
    recovery.mended(buckets(CONV_BUCKET))
    await recover()
    expect(published).toEqual([`${conv} message 4 anew`, resync])
  })

  it('[P4] tells a busy group too: what came after the loss does not hide it', async () => {
    doubtful.begin(buckets(CONV_BUCKET))
    heads.conv = at(7) // 6 and 7 are lost with the feed
    recovery.mended(buckets(CONV_BUCKET))
    await vi.advanceTimersByTimeAsync(100)
    heads.conv = at(8)
    message(8)
    await recover()
    expect(published).toEqual([
      `${conv} {"op":"resync","convs":["${conv}"],"within":2000}`,
      `${conv} message 8`,
    ])
  })

  it('[P6] holds typing back as well', async () => {
    doubtful.begin(buckets(CONV_BUCKET))
    fanout.event({ kind: 'typing', topic: conv, frame: Buffer.from('typing') })
    expect(published).toEqual([])
  })

  it('[P4] shows first that an inbox went back, though what comes next follows without a jump', async () => {
    const later = (seq: number) => `2000-${seq}` as MessageId & InboxPosition
    const { here, got } = everybody.get('alice')!
    const dm = (position: MessageId & InboxPosition) =>
      fanout.event({ kind: 'message', topic: 'user:alice', position, frame: Buffer.from(`dm ${position}`) })
    doubtful.begin(buckets(USER_BUCKET))
    // What was 1000-3 is lost; 2000-3 took its seq and was not heard of, 2000-4 is heard while all is in doubt.
    heads.inbox = later(4)
    first.inbox = { position: later(3), frame: 'dm 2000-3' }
    dm(later(4))
    recovery.mended(buckets(USER_BUCKET))
    await recover()
    expect(got).toEqual(['dm 2000-3', '{"op":"resync","within":2000}'])
    expect(here.forwarded).toBe(later(4))
    dm(later(5))
    expect(got.at(-1)).toBe('dm 2000-5')
  })

  it('[P4] has those sync whose log or inbox ends before what they were told, though nothing new is there yet', async () => {
    const { here, got } = everybody.get('alice')!
    doubtful.begin(buckets(CONV_BUCKET, USER_BUCKET))
    heads = { conv: at(4), inbox: at(2) } // the last one of each is lost
    recovery.mended(buckets(CONV_BUCKET, USER_BUCKET))
    await recover()
    expect(got).toEqual(['{"op":"resync","within":2000}'])
    expect(resyncs()).toEqual([`${conv} {"op":"resync","convs":["${conv}"],"within":2000}`])
    expect([here.forwarded, hub.conv(conv).forwarded]).toEqual([at(2), at(4)])
    await recover()
    expect([got.length, resyncs().length]).toEqual([1, 1])
  })

  it('[P4] holds a channel back, and nothing of other buckets', async () => {
    const lobby = 'channel:lobby' as ConvId
    hub.conv(lobby).forwarded = at(5)
    doubtful.begin(buckets(CONV_BUCKET))
    fanout.event({ kind: 'message', topic: lobby, position: at(6), frame: Buffer.from('held') })
    expect(published).toEqual([])
    recovery.mended(buckets(CONV_BUCKET))
    await recover()
    expect(published).toEqual([`${lobby} {"op":"resync","convs":["${lobby}"],"within":2000}`])
    published.length = 0
    doubtful.begin(buckets(77))
    message(6)
    expect(published).toEqual([`${conv} message 6`])
  })

  it('[P4] lets an ack wait until what it may hide has been shown', async () => {
    const order: string[] = []
    doubtful.begin(buckets(CONV_BUCKET))
    heads.conv = at(6)
    const ack = doubtful.settled(conv).then(() => order.push('ack', ...published))
    recovery.mended(buckets(CONV_BUCKET))
    await recover()
    await ack
    expect(order).toEqual(['ack', `${conv} {"op":"resync","convs":["${conv}"],"within":2000}`])
    await doubtful.settled(conv)
  })

  it('[P6] stays in doubt while it breaks again before the first break is dealt with', async () => {
    doubtful.begin(buckets(CONV_BUCKET))
    recovery.mended(buckets(CONV_BUCKET))
    doubtful.begin(buckets(CONV_BUCKET))
    await recover()
    message(6)
    expect(published).toEqual([])
    recovery.mended(buckets(CONV_BUCKET))
    await recover()
    message(7)
    expect([resyncs().length, published.at(-1)]).toEqual([1, `${conv} message 7`])
  })

  it('[P6] goes on trying while commands fail, and trusts nothing until then', async () => {
    doubtful.begin(buckets(CONV_BUCKET, USER_BUCKET))
    members.delete('bob')
    failing = true
    recovery.mended(buckets(CONV_BUCKET, USER_BUCKET))
    await vi.advanceTimersByTimeAsync(10_000)
    message(6)
    expect([published, follows('bob')]).toEqual([[], true])
    failing = false
    heads.conv = at(6)
    await recover()
    expect([follows('alice'), follows('bob')]).toEqual([true, false])
    expect(resyncs()).toHaveLength(1)
    expect(new Set(rejoined)).toEqual(new Set(['alice', 'bob']))
    expect(doubts).toBe(1)
  })
})

describe('the comparison', () => {
  it('[P4] tells nobody to sync who missed nothing', async () => {
    doubtful.begin(buckets(CONV_BUCKET, USER_BUCKET))
    recovery.mended(buckets(CONV_BUCKET, USER_BUCKET))
    await recover()
    expect([resyncs(), everybody.get('alice')!.got]).toEqual([[], []])
  })

  it('[P4] tells a user whose inbox is ahead, and puts their entry right', async () => {
    heads.inbox = at(4)
    recovery.mended(buckets(USER_BUCKET))
    await recover()
    expect(everybody.get('alice')!.got).toEqual(['{"op":"resync","within":2000}'])
    expect(resyncs()).toEqual([])
    await recover()
    expect(everybody.get('alice')!.got).toHaveLength(1)
  })

  it('[P4] waits for what is on its way before it calls it lost', async () => {
    heads.conv = at(6)
    recovery.mended(buckets(CONV_BUCKET))
    await vi.advanceTimersByTimeAsync(100)
    message(6)
    await recover()
    expect(resyncs()).toEqual([])
  })

  it('[P4] finds a lost tail by itself within 45 s, once', async () => {
    recovery.start()
    await vi.advanceTimersByTimeAsync(5_000)
    heads.conv = at(6)
    heads.inbox = at(4)
    await vi.advanceTimersByTimeAsync(40_000)
    expect(resyncs()).toHaveLength(1)
    expect(everybody.get('bob')!.got).toHaveLength(1)
    expect(rejoined).toContain('bob')
    await vi.advanceTimersByTimeAsync(90_000)
    expect(resyncs()).toHaveLength(1)
  })

  it('[P4] finds it again where Redis was away just then', async () => {
    recovery.start()
    await vi.advanceTimersByTimeAsync(5_000)
    heads.conv = at(6)
    // It has been seen to be ahead; what is on its way has half a second.
    await vi.advanceTimersByTimeAsync(35_200)
    failing = true
    await vi.advanceTimersByTimeAsync(1_000)
    expect(resyncs()).toEqual([])
    failing = false
    await vi.advanceTimersByTimeAsync(40_000)
    expect(resyncs()).toHaveLength(1)
  })
})
