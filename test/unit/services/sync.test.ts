/** What goes into a sync's batches, and what must not. */
import type { ConvId, InboxPosition, MessageId, UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import type { History } from '../../../src/services/history.ts'
import type { ConvPort, InboxPort } from '../../../src/services/ports.ts'
import { Sync } from '../../../src/services/sync.ts'

const [ALICE, LOBBY] = ['alice' as UserId, 'channel:lobby' as ConvId]

/** An inbox that gets an entry between any two looks at it. */
function busyInbox() {
  const entries: { position: InboxPosition; entry: string }[] = []
  const seqOf = (position: string) => Number(position.split('-')[1])
  return {
    range: async (_user: UserId, after: InboxPosition) => {
      const seq = entries.length + 1
      entries.push({ position: `1000-${seq}` as InboxPosition, entry: `"conv":"dm:alice:bob","n":${seq}` })
      return {
        head: entries.at(-1)!.position,
        first: entries[0]!.position,
        entries: entries.filter(({ position }) => seqOf(position) > seqOf(after)),
      }
    },
  } as unknown as InboxPort
}

const run = async (request: { inbox: InboxPosition | undefined; only: boolean }) => {
  const convs = {
    range: async () => ({
      is: 'ok',
      head: '9-1',
      first: '9-1',
      floor: '0-0',
      entries: [{ id: '9-1', tail: '' }],
    }),
  } as unknown as ConvPort
  const history = { mayKnow: () => true, entries: async () => [], list: async () => [] } as unknown as History
  const sync = new Sync({ convs, inboxes: busyInbox(), history })
  const frames: string[] = []
  const synced = await sync.run(
    { user: ALICE, convs: new Map([[LOBBY, '0-0' as MessageId]]), ...request },
    async (batch) => void frames.push(...batch),
  )
  return { synced, inbox: frames.filter((frame) => frame.includes('"inbox"')), frames }
}

describe('a sync', () => {
  it('[P4] of conversations alone brings nothing of the inbox, whatever comes meanwhile', async () => {
    const { synced, inbox, frames } = await run({ inbox: undefined, only: true })
    expect(inbox).toEqual([])
    expect(frames).toHaveLength(1)
    expect(synced).toMatchObject({ inbox: '1000-1' })
    expect(synced).not.toHaveProperty('gap')
  })

  it('of the inbox brings all that is there when it is read', async () => {
    const { inbox } = await run({ inbox: '0-0' as InboxPosition, only: false })
    expect(inbox).toEqual([expect.stringContaining('"inbox":"1000-1"')])
  })
})
