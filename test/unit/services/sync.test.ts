/** What goes into a sync's batches, and what must not. */
import {
  type ConvId,
  comparePositions,
  type DeviceId,
  type InboxPosition,
  type MessageId,
  type UserId,
} from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import type { History } from '../../../src/services/history.ts'
import type { ConvPort, InboxPort } from '../../../src/services/ports.ts'
import { Sync, type SyncStart } from '../../../src/services/sync.ts'

const [ALICE, LOBBY] = ['alice' as UserId, 'channel:lobby' as ConvId]
const PHONE = 'phone' as DeviceId
const ORIGIN = '0-0' as InboxPosition
const at = (seq: number) => `1000-${seq}` as InboxPosition
const seqOf = (position: string) => Number(position.split('-')[1])

/** An inbox that starts with some entries and gets one between any two looks at it. */
function busyInbox(start = 0) {
  const entries = Array.from({ length: start }, (_, index) => entryOf(index + 1))
  const looked: string[] = []
  const look = (what: string) => {
    looked.push(what)
    entries.push(entryOf(seqOf(entries.at(-1)?.position ?? ORIGIN) + 1))
    return entries.at(-1)!.position
  }
  const port = {
    catchUp: async (user: UserId, after: InboxPosition, count: number) => {
      const page = await port.entries(user, after, count)
      const range = { head: entries.at(-1)!.position, entries: page }
      return { range, books: { dms: [], groups: [], reads: new Map() } }
    },
    entries: async (_user: UserId, after: InboxPosition, count: number) => {
      look('entries')
      return entries.filter(({ position }) => comparePositions(position, after) > 0).slice(0, count)
    },
    lastUpTo: async (_user: UserId, position: InboxPosition) =>
      entries.findLast((entry) => comparePositions(entry.position, position) <= 0)?.position,
    head: async () => look('head'),
    books: async () => {
      looked.push('books')
      return { dms: [], groups: [], reads: new Map() }
    },
  }
  const cutOff = (count: number) => entries.splice(0, count)
  return { port: port as unknown as InboxPort, looked, cutOff }
}

const entryOf = (seq: number) => ({
  position: at(seq),
  id: `${seq}-1` as MessageId,
  tail: `"conv":"dm:alice:bob","n":${seq}`,
})

function world(inbox = busyInbox()) {
  const convs = {
    range: async () => ({
      is: 'ok',
      head: '9-1',
      first: '9-1',
      floor: '0-0',
      entries: [{ id: '9-1', tail: '"n":0' }],
    }),
  } as unknown as ConvPort
  const history = { mayKnow: () => true, entries: async () => [], list: async () => [] } as unknown as History
  const sync = new Sync({ convs, inboxes: inbox.port, history })
  const run = async (start: SyncStart | undefined, positions: [ConvId, MessageId][] = []) => {
    const batches: { op: string; inbox?: string }[][] = []
    const synced = await sync.run({ user: ALICE, start, convs: new Map(positions) }, async (frames) => {
      batches.push(JSON.parse(`[${frames}]`) as { op: string }[])
    })
    return { synced, batches, places: batches.flat().flatMap((frame) => frame.inbox ?? []) }
  }
  return { inbox, run, start: (position = ORIGIN) => sync.start(ALICE, PHONE, position) }
}

describe('a sync', () => {
  it('[P4] of conversations alone brings nothing of the inbox, whatever comes meanwhile', async () => {
    const { run } = world()
    const { synced, batches, places } = await run(undefined, [[LOBBY, '0-0' as MessageId]])
    expect([batches.flat().length, places]).toEqual([1, []])
    expect(synced).toMatchObject({ inbox: at(1) })
    expect(synced).not.toHaveProperty('gap')
  })

  it('of the inbox brings all that is there when it is read, with one look', async () => {
    const { inbox, run, start } = world()
    const { synced, places } = await run(await start())
    expect(places).toEqual([at(1)])
    expect(synced.inbox).toBe(at(1))
    expect(inbox.looked).toEqual(['entries'])
  })

  it('of a long inbox brings every entry once, in order, and the list as of the last of them', async () => {
    const { inbox, run, start } = world(busyInbox(1_234))
    const { synced, batches, places } = await run(await start())
    expect(places).toEqual(Array.from({ length: seqOf(synced.inbox) }, (_, index) => at(index + 1)))
    expect(places.length).toBeGreaterThan(1_234)
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(100)
    expect(inbox.looked.at(-1)).toBe('books')
    expect(inbox.looked.filter((what) => what === 'books')).toHaveLength(1)
  })

  it('[P4] that was begun early goes on where its beginning ends, if there is more', async () => {
    const { run, start } = world()
    const { synced, places } = await run({ ...(await start()), isPart: true })
    expect(places).toEqual([at(1), at(2)])
    expect(synced.inbox).toBe(at(2))
  })

  it('[P4] says gap where the inbox was cut off while it was being read', async () => {
    const inbox = busyInbox(1_234)
    const { run, start } = world(inbox)
    const beginning = await start()
    inbox.cutOff(500)
    const { synced, places } = await run(beginning)
    expect(synced).toMatchObject({ gap: true })
    expect(places).not.toContain(at(500))
    expect(places).toContain(at(501))
  })

  it.each(['1000-0', '2000-2', '999-3'])(
    'from %s, which is no entry’s, says no gap where none is',
    async (position) => {
      const { run, start } = world(busyInbox(3))
      expect((await run(await start(position as InboxPosition))).synced).not.toHaveProperty('gap')
    },
  )

  it('says gap by its beginning, not by what comes later', async () => {
    const { run, start } = world(busyInbox(3))
    expect((await run(await start(at(2)))).synced).not.toHaveProperty('gap')
    expect((await run(await start(at(99)))).synced).toMatchObject({ gap: true })
  })
})
