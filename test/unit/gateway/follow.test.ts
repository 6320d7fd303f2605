/** Following groups while answers and orders overtake each other. Redis is a port whose answers the test gives. */
import {
  type ConvId,
  type GroupId,
  groupConv,
  type InboxPosition,
  type MessageId,
  type UserId,
} from '@starling/protocol/ids'
import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { Follow } from '../../../src/gateway/follow.ts'
import { Hub } from '../../../src/gateway/hub.ts'
import type { Session } from '../../../src/gateway/session.ts'

const group = 'g' as GroupId
const conv = groupConv(group)
const at = (seq: number) => `1000-${seq}` as MessageId

interface Attach {
  conv: ConvId
  user: UserId | undefined
  answer(reply: { head: MessageId; joined: MessageId | undefined }): void
  fail(fault: Error): void
}

let hub: Hub
let follow: Follow
/** What Redis was asked, in order. */
let asked: string[]
let attaches: Attach[]
/** What is read of the log, and the head then. */
let missed: { frames: string[]; head: MessageId }

beforeEach(() => {
  hub = new Hub()
  asked = []
  attaches = []
  missed = { frames: [], head: at(1) }
  follow = new Follow({
    hub,
    log: pino({ level: 'silent' }),
    port: {
      attach(conv, user) {
        asked.push(`attach ${user}`)
        const { promise, resolve, reject } = Promise.withResolvers<{
          head: MessageId
          joined: MessageId | undefined
        }>()
        attaches.push({ conv, user, answer: resolve, fail: reject })
        return promise
      },
      async detach() {
        asked.push('detach')
      },
      async missed(_conv, _user, since) {
        asked.push(`missed since ${since}`)
        return missed
      },
    },
  })
})

/** A user with one live session, and the topics it follows. */
function someoneHere(name: string) {
  const topics = new Set<string>()
  const got: string[] = []
  const session = {
    state: { is: 'live' },
    deliver: (frame: string) => got.push(`${frame}${topics.has(conv) ? ' (following)' : ''}`),
    connection: {
      subscribe: (topic: string) => topics.add(topic),
      unsubscribe: (topic: string) => topics.delete(topic),
    },
  } as unknown as Session
  const here = hub.user(name as UserId, '0-0' as InboxPosition)
  here.sessions = [session]
  return { here, topics, got, leave: () => hub.remove(session, here) && follow.forget(here) }
}

describe('following a group', () => {
  it('subscribes a member’s sessions, and takes the head for forwarded with the first one alone', async () => {
    const [a, b] = [someoneHere('a'), someoneHere('b')]
    const entered = [follow.enter(a.here, group), follow.enter(b.here, group)]
    attaches[0]!.answer({ head: at(5), joined: at(2) })
    attaches[1]!.answer({ head: at(9), joined: at(3) })
    await Promise.all(entered)
    expect([a.topics.has(conv), b.topics.has(conv)]).toEqual([true, true])
    // 6 to 9 are on their way, or lost: that must show when heads are compared.
    expect(hub.convs.get(conv)?.forwarded).toBe(at(5))
  })

  it('[P6] follows nothing for one who is no member, and lets the node go', async () => {
    const a = someoneHere('a')
    const entered = follow.enter(a.here, group)
    attaches[0]!.answer({ head: at(5), joined: undefined })
    await entered
    expect([a.topics.size, hub.convs.size]).toEqual([0, 0])
    expect(asked).toEqual(['attach a', 'detach'])
  })

  it('[P6] heeds an order to go that overtook the answer', async () => {
    const a = someoneHere('a')
    const entered = follow.enter(a.here, group)
    follow.exit(a.here, group, at(7))
    attaches[0]!.answer({ head: at(6), joined: at(2) })
    await entered
    expect(a.topics.size).toBe(0)
  })

  it('follows one who was taken in again after they had to go', async () => {
    const a = someoneHere('a')
    const entered = follow.enter(a.here, group)
    follow.exit(a.here, group, at(7))
    attaches[0]!.answer({ head: at(8), joined: at(8) })
    await entered
    expect(a.topics.has(conv)).toBe(true)
  })

  it('[P6] heeds no order to go that is older than the joining', async () => {
    const a = someoneHere('a')
    const entered = follow.enter(a.here, group)
    attaches[0]!.answer({ head: at(8), joined: at(8) })
    await entered
    follow.exit(a.here, group, at(7))
    expect(a.topics.has(conv)).toBe(true)
    follow.exit(a.here, group, at(9))
    expect(a.topics.has(conv)).toBe(false)
  })

  it('lets the node go with its last member, and not before', async () => {
    const [a, b] = [someoneHere('a'), someoneHere('b')]
    const entered = [follow.enter(a.here, group), follow.enter(b.here, group)]
    for (const attach of attaches) attach.answer({ head: at(5), joined: at(2) })
    await Promise.all(entered)
    follow.exit(a.here, group, at(6))
    expect(asked).not.toContain('detach')
    b.leave()
    expect(asked).toEqual(['attach a', 'attach b', 'detach'])
    expect(hub.convs.size).toBe(0)
  })

  it('detaches behind no attach that is under way for another', async () => {
    const [a, b] = [someoneHere('a'), someoneHere('b')]
    const entered = [follow.enter(a.here, group), follow.enter(b.here, group)]
    attaches[0]!.answer({ head: at(5), joined: undefined })
    await entered[0]
    attaches[1]!.answer({ head: at(5), joined: at(3) })
    await entered[1]
    expect(asked).toEqual(['attach a', 'attach b'])
    expect(b.topics.has(conv)).toBe(true)
  })

  it('detaches behind no attach of the same user who left and came back', async () => {
    const first = someoneHere('a')
    const early = follow.enter(first.here, group)
    first.leave()
    const second = someoneHere('a')
    const late = follow.enter(second.here, group)
    attaches[0]!.answer({ head: at(5), joined: at(2) })
    await early
    attaches[1]!.answer({ head: at(5), joined: at(2) })
    await late
    expect(asked).toEqual(['attach a', 'attach a'])
    expect(second.topics.has(conv)).toBe(true)
  })

  it('detaches with the last of several that all came to nothing', async () => {
    const [a, b] = [someoneHere('a'), someoneHere('b')]
    const entered = [follow.enter(a.here, group), follow.enter(b.here, group)]
    for (const attach of attaches) attach.answer({ head: at(5), joined: undefined })
    await Promise.all(entered)
    expect(asked.slice(0, 3)).toEqual(['attach a', 'attach b', 'detach'])
  })

  it('passes a fault on, and is ready for the next try', async () => {
    const a = someoneHere('a')
    const entered = follow.enter(a.here, group)
    attaches[0]!.fail(new Error('away'))
    await expect(entered).rejects.toThrow('away')
    const again = follow.enter(a.here, group)
    attaches[1]!.answer({ head: at(1), joined: undefined })
    await again
    expect(asked.at(-1)).toBe('detach')
  })

  it('sends what came between the joining and the following, before anything live', async () => {
    const a = someoneHere('a')
    missed = { frames: ['3', '4'], head: at(4) }
    const entered = follow.enter(a.here, group, at(2))
    attaches[0]!.answer({ head: at(4), joined: at(2) })
    await entered
    expect(asked).toEqual(['attach a', `missed since ${at(2)}`])
    expect(a.got).toEqual(['3', '4'])
    expect(a.topics.has(conv)).toBe(true)
  })

  it('reads nothing where nothing came between', async () => {
    const a = someoneHere('a')
    const entered = follow.enter(a.here, group, at(2))
    attaches[0]!.answer({ head: at(2), joined: at(2) })
    await entered
    expect([asked, a.got]).toEqual([['attach a'], []])
  })

  it('sends what the bus brought before the answer came', async () => {
    const a = someoneHere('a')
    missed = { frames: ['3'], head: at(3) }
    const entered = follow.enter(a.here, group, at(2))
    hub.convs.get(conv)!.forwarded = at(3) // as the fan-out notes it, for nobody yet
    attaches[0]!.answer({ head: at(2), joined: at(2) })
    await entered
    expect([a.got, a.topics.has(conv)]).toEqual([['3'], true])
  })

  it('says resync where the bus brought more than was read', async () => {
    const a = someoneHere('a')
    missed = { frames: ['3'], head: at(3) }
    const entered = follow.enter(a.here, group, at(2))
    hub.conv(conv).forwarded = at(4)
    attaches[0]!.answer({ head: at(3), joined: at(2) })
    await entered
    expect(a.got).toEqual(['3', '{"op":"resync","convs":["group:g"],"within":0} (following)'])
  })

  it('[P6] sends nothing of it to one who had to go meanwhile', async () => {
    const a = someoneHere('a')
    missed = { frames: ['3'], head: at(3) }
    const entered = follow.enter(a.here, group, at(2))
    follow.exit(a.here, group, at(4))
    attaches[0]!.answer({ head: at(3), joined: at(2) })
    await entered
    expect([a.got, a.topics.size]).toEqual([[], 0])
  })
})
