/** A sync that is begun before the welcome, while nothing is sent live, and what comes into the inbox meanwhile. */
import type { DeviceId, InboxPosition, MessageId, UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import type { GatewayContext } from '../../../src/gateway/context.ts'
import { begin, sync } from '../../../src/gateway/handlers/position.ts'
import type { Live, LocalUser, Session } from '../../../src/gateway/session.ts'
import type { History } from '../../../src/services/history.ts'
import type { ConvPort, InboxPort } from '../../../src/services/ports.ts'
import { Sync } from '../../../src/services/sync.ts'

const at = (seq: number) => `1000-${seq}` as InboxPosition
const everything = { op: 'sync', inbox: at(0) } as const

/** A session between its join and its welcome, of a user in whose inbox lie so many entries. */
function joining(waiting: number) {
  let count = waiting
  let looks = 0
  const inboxes = {
    async catchUp(user: UserId, after: InboxPosition) {
      const head = at(count)
      const entries = await inboxes.entries(user, after)
      const range = { head, entries }
      return { range, books: { dms: [], groups: [], reads: new Map() } }
    },
    async entries(_user: UserId, after: InboxPosition) {
      looks++
      const from = Number(after.split('-')[1])
      return Array.from({ length: count - from }, (_, index) => ({
        position: at(from + index + 1),
        id: '1-1' as MessageId,
        tail: '"conv":"dm:alice:bob"',
      }))
    },
    books: async () => ({ dms: [], groups: [], reads: new Map() }),
  }
  const history = { list: async () => [] } as unknown as History
  const sent: string[] = []
  const identity = { user: 'alice' as UserId, device: 'phone' as DeviceId }
  const session = {
    identity,
    state: { is: 'joining', waiting: [everything], who: identity },
    connection: { drained: async () => {} },
    sendRaw: (frame: string) => sent.push(frame),
  } as unknown as Session
  const here = { forwarded: at(waiting) } as LocalUser
  const context = {
    sync: new Sync({ convs: {} as ConvPort, inboxes: inboxes as unknown as InboxPort, history }),
  } as GatewayContext
  return {
    begin: () => begin(context, session),
    sync: () => sync(context, { session, identity: session.identity!, here } as Live, everything),
    drops() {
      session.state = { is: 'closed' }
    },
    /** A message comes; the node hears of it, and sends it to nobody yet. */
    arrives() {
      count++
      here.forwarded = at(count)
    },
    looks: () => looks,
    places: () => sent.join().match(/1000-\d+/g) ?? [],
  }
}

describe('a sync that is begun before the welcome', () => {
  it('is answered by what was read then', async () => {
    const alice = joining(2)
    alice.begin()
    expect(await alice.sync()).toMatchObject({ op: 'synced', inbox: at(2) })
    expect([alice.looks(), alice.places()]).toEqual([1, [at(1), at(2)]])
  })

  it('[P4] brings what came between its reading and the welcome', async () => {
    const alice = joining(2)
    alice.begin()
    alice.arrives()
    alice.arrives()
    expect(await alice.sync()).toMatchObject({ op: 'synced', inbox: at(4) })
    expect([alice.looks(), alice.places()]).toEqual([2, [at(1), at(2), at(3), at(4)]])
  })

  it('is read no further once its line is gone, nor are those that wait behind it', async () => {
    const alice = joining(300)
    const syncs = [alice.sync(), alice.sync(), alice.sync()]
    const [first] = syncs
    alice.drops()
    for (const one of syncs) await expect(one).rejects.toMatchObject({ code: 'unavailable' })
    await expect(first).rejects.toThrow('the line is gone')
    expect([alice.looks(), alice.places()]).toEqual([0, []])
  })

  it('is read anew by the next one', async () => {
    const alice = joining(1)
    alice.begin()
    await alice.sync()
    alice.arrives()
    expect(await alice.sync()).toMatchObject({ inbox: at(2) })
    expect(alice.looks()).toBe(2)
  })
})
