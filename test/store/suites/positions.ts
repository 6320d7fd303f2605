/** Reading logs and moving positions in them: only forward, never past the head, never behind one's joining. */
import { type ConvId, channelConv, dmOf, type MessageId, seqOf, type UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import {
  dmDraft,
  draftOf,
  ok,
  type StoreWorld,
  someGroup,
  someNode,
  someone,
} from '../../support/server-store.ts'

const FAR = '9007199254740991-9007199254740991' as MessageId

export function positionsSuite(store: () => StoreWorld): void {
  const convs = () => store().convs
  const dm = async (times: number) => {
    const [a, b] = [someone('a'), someone('b')]
    const ids: MessageId[] = []
    for (let i = 0; i < times; i++)
      ids.push(ok(await store().dms.send(dmDraft(a, b), b, { guard: 'free', echo: false })).id)
    return { a, b, conv: dmOf(a, b), ids }
  }
  const fill = async (conv: ConvId, from: UserId, times: number) => {
    const ids: MessageId[] = []
    for (let i = 0; i < times; i++) ids.push(ok(await convs().append(draftOf(conv, from), 'member')).id)
    return ids
  }

  describe('advance', () => {
    it('moves forward, never back, and is clamped to the head', async () => {
      const { b, conv, ids } = await dm(3)
      const head = ids[2]
      expect(await convs().advance(conv, b, 'read', ids[1]!)).toEqual({ is: 'moved', position: ids[1], head })
      expect(await convs().advance(conv, b, 'read', ids[0]!)).toEqual({ is: 'stale', position: ids[1], head })
      expect(await convs().advance(conv, b, 'read', ids[1]!)).toEqual({ is: 'stale', position: ids[1], head })
      expect(await convs().advance(conv, b, 'read', FAR)).toEqual({ is: 'moved', position: head, head })
    })

    it('ends at the furthest of many at the same time', async () => {
      const { b, conv, ids } = await dm(20)
      await Promise.all(ids.toReversed().map((id) => convs().advance(conv, b, 'read', id)))
      expect(await convs().advance(conv, b, 'read', ids[0]!)).toMatchObject({
        is: 'stale',
        position: ids[19],
      })
    })

    it('compares numbers, not texts', async () => {
      const { b, conv } = await dm(1)
      await store().setHead(conv, '10000-10')
      expect(await convs().advance(conv, b, 'read', '9000-9' as MessageId)).toMatchObject({ is: 'moved' })
      expect(await convs().advance(conv, b, 'read', '10000-9' as MessageId)).toMatchObject({ is: 'moved' })
      expect(await convs().advance(conv, b, 'read', '10000-10' as MessageId)).toMatchObject({ is: 'moved' })
      expect(await convs().advance(conv, b, 'read', '9000-11' as MessageId)).toMatchObject({ is: 'stale' })
    })

    it('keeps read and received, and the two users, apart', async () => {
      const { a, b, conv, ids } = await dm(2)
      await convs().advance(conv, b, 'recv', ids[1]!)
      expect(await convs().advance(conv, b, 'read', ids[0]!)).toMatchObject({ is: 'moved' })
      expect(await convs().view(conv, a)).toMatchObject({
        is: 'ok',
        read: ids[1],
        peerRead: ids[0],
        peerReceived: ids[1],
      })
    })

    it('is at the start of a conversation without a message', async () => {
      const [a, b] = [someone(), someone()]
      expect(await convs().advance(dmOf(a, b), a, 'read', FAR)).toEqual({
        is: 'stale',
        position: '0-0',
        head: '0-0',
      })
    })

    it('is a member’s in a group', async () => {
      const owner = someone()
      const { conv, id } = await store().group(owner)
      expect(await convs().advance(conv, someone(), 'read', id)).toEqual({ is: 'not_member' })
      expect(await convs().advance(`group:${someGroup()}` as ConvId, owner, 'read', id)).toEqual({
        is: 'not_found',
      })
      const [next] = await fill(conv, owner, 1)
      expect(await convs().advance(conv, owner, 'read', FAR)).toMatchObject({ is: 'stale', position: next })
    })
  })

  describe('read-channel', () => {
    it('is set by the first sight, then moves only forward', async () => {
      const [user, conv, users] = [someone(), channelConv('lobby'), store().usersAt(someNode())]
      const read = (id: string, first = false) => users.readChannel(user, conv, id as MessageId, first)
      expect((await users.books(user)).reads.get(conv)).toBeUndefined()
      expect(await read('500-5', true)).toEqual({ moved: true, position: '500-5' })
      expect(await read('600-6', true)).toEqual({ moved: false, position: '500-5' })
      expect(await read('400-4')).toEqual({ moved: false, position: '500-5' })
      expect(await read('1000-10')).toEqual({ moved: true, position: '1000-10' })
      expect((await users.books(user)).reads.get(conv)).toBe('1000-10')
    })
  })

  describe('range', () => {
    const forward = (after: string, count = 100) =>
      ({ order: 'forward', low: `(${after}`, high: '+', count }) as const
    const back = (count = 100) => ({ order: 'back', low: '-', high: '+', count }) as const

    it('gives a stretch in either direction, with head and oldest', async () => {
      const { a, conv, ids } = await dm(5)
      const on = ok(await convs().range(conv, a, forward(ids[1]!, 2)))
      expect(on.entries.map(({ id }) => id)).toEqual(ids.slice(2, 4))
      expect([on.first, on.head, on.floor]).toEqual([ids[0], ids[4], '0-0'])
      const newest = ok(await convs().range(conv, a, back(2)))
      expect(newest.entries.map(({ id }) => id)).toEqual([ids[4], ids[3]])
    })

    it('takes a position that is no entry’s for the last before it', async () => {
      const { a, conv, ids } = await dm(2)
      const between = `${Number(ids[0]!.split('-')[0]) - 1}-77`
      expect(ok(await convs().range(conv, a, forward(between))).entries.map(({ id }) => id)).toEqual(ids)
    })

    it('[P6] shows a member nothing before their joining, whatever they ask for', async () => {
      const [owner, user] = [someone(), someone()]
      const { group, conv } = await store().group(owner)
      const before = await fill(conv, owner, 3)
      const { id: joined } = ok(await store().add(group, owner, [user]))
      const after = await fill(conv, owner, 2)
      const ids = async (stretch: Parameters<typeof forward>[0] | 'back') => {
        const range = ok(await convs().range(conv, user, stretch === 'back' ? back() : forward(stretch)))
        expect(range.floor).toBe(joined)
        return range.entries.map(({ id }) => id)
      }
      expect(await ids('0-0')).toEqual([joined, ...after])
      expect(await ids(before[1]!)).toEqual([joined, ...after])
      expect(await ids(joined)).toEqual(after)
      expect(await ids('back')).toEqual([...after.toReversed(), joined])
      const early = { order: 'back', low: '-', high: `(${before[2]}`, count: 10 } as const
      expect(ok(await convs().range(conv, user, early)).entries).toEqual([])
    })

    it('shows everything where the group’s history is for all', async () => {
      const [owner, user] = [someone(), someone()]
      const { group, conv, id } = await store().group(owner, [], { history: 'all' })
      ok(await store().add(group, owner, [user]))
      const range = ok(await convs().range(conv, user, forward('0-0')))
      expect([range.floor, range.entries[0]?.id]).toEqual(['0-0', id])
    })

    it('[P6] shows nothing at all to one who was removed', async () => {
      const [owner, user] = [someone(), someone()]
      const { group, conv } = await store().group(owner, [user])
      ok(await store().remove(group, owner, user))
      expect(await convs().range(conv, user, back())).toEqual({ is: 'not_member' })
      expect(await convs().view(conv, user)).toEqual({ is: 'not_member' })
      expect(await convs().range(`group:${someGroup()}` as ConvId, user, back())).toEqual({ is: 'not_found' })
    })
  })

  describe('view', () => {
    it('is one line of a conversation list, of one moment', async () => {
      const { b, conv, ids } = await dm(2)
      expect(await convs().view(conv, b)).toMatchObject({
        is: 'ok',
        head: ids[1],
        read: undefined,
        peerRead: ids[1],
        last: { id: ids[1], tail: expect.stringContaining('"hello"') },
      })
    })

    it('has the name of a group, and nobody’s positions but one’s own', async () => {
      const owner = someone()
      const { conv, id } = await store().group(owner, [someone()])
      expect(await convs().view(conv, owner)).toMatchObject({
        is: 'ok',
        name: 'a group',
        read: id,
        peerRead: undefined,
        peerReceived: undefined,
      })
    })

    it('is read once for all who ask the same in one turn, and anew in the next', async () => {
      const conv = channelConv('lobby')
      const [one, other] = [convs().view(conv, someone()), convs().view(conv, someone())]
      expect(other).toBe(one)
      await one
      expect(convs().view(conv, someone())).not.toBe(one)
    })

    it('is given for more conversations at once than one call takes, each its own', async () => {
      const owner = someone()
      const names = Array.from({ length: 600 }, () => someone())
      const views = await Promise.all([
        convs().view(`group:${someGroup()}` as ConvId, owner),
        ...names.map((name) => convs().view(dmOf(owner, name), owner)),
      ])
      expect(views[0]).toEqual({ is: 'not_found' })
      expect(views.slice(1).every(({ is }) => is === 'ok')).toBe(true)
    })

    it('is empty before the first message', async () => {
      const [a, b] = [someone(), someone()]
      const view = ok(await convs().view(dmOf(a, b), a))
      expect([seqOf(view.head), view.last, view.peerRead]).toEqual([0, undefined, undefined])
    })
  })
}
