/** The inbox: delivering, reading, and trimming to what every device has. */
import {
  channelConv,
  type DeviceId,
  dmOf,
  type InboxPosition,
  type MessageId,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import { tailHead } from '../../../src/services/message-json.ts'
import {
  dmDraft,
  ok,
  type StoreWorld,
  sessionOf,
  someDevice,
  someNode,
  someone,
} from '../../support/server-store.ts'

const ORIGIN = '0-0' as InboxPosition

export function inboxSuite(store: () => StoreWorld): void {
  const usersAt = (node = someNode(), more = {}) => store().usersAt(node, more)
  const xlen = (user: UserId) => store().redis.xlen(store().key(`user:${user}`, 'inbox'))

  /** Puts messages of one sender into an inbox. @returns their positions */
  async function deliver(to: UserId, times: number, from = someone()) {
    const positions: InboxPosition[] = []
    for (let i = 0; i < times; i++) {
      const id = `${Date.now()}-${i + 1}` as MessageId
      const { tail } = dmDraft(from, to, { text: `${i}` })
      positions.push(await store().dms.deliver(to, dmOf(from, to), id, tail))
    }
    return positions
  }

  describe('deliver', () => {
    it('[P4] gives dense positions under concurrency', async () => {
      const to = someone()
      const positions = await Promise.all(Array.from({ length: 50 }, () => deliver(to, 1)))
      expect(
        positions
          .flat()
          .map(seqOf)
          .toSorted((a, b) => a - b),
      ).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    })

    it('[P2] takes one that is sent again once more at most, where a hundred others have come since', async () => {
      const [from, to] = [someone(), someone()]
      const [{ tail }, { tail: another }] = [dmDraft(from, to), dmDraft(someone(), to)]
      const again = (id: string, of = tail) => store().dms.deliver(to, '', id as MessageId, of, true)
      const first = await again('1000-1')
      expect(await Promise.all([again('1000-1'), again('1000-1')])).toEqual([first, first])
      expect(seqOf(await again('1000-2'))).toBe(seqOf(first) + 1)
      expect(seqOf(await again('1000-1', another))).toBe(seqOf(first) + 2) // ids are a conversation's own
      expect(await again('1000-1')).toBe(first)
      expect(await xlen(to)).toBe(3)
      await deliver(to, 100)
      expect(seqOf(await again('1000-1'))).toBe(seqOf(first) + 103)
    })

    it('never lets the ms go back, whatever the clock does', async () => {
      const to = someone()
      await deliver(to, 1)
      const future = Date.now() + 3_600_000
      await store().setHead(`user:${to}`, `${future}-9`)
      expect(await deliver(to, 1)).toEqual([`${future}-10`])
    })

    it('notes the conversation with its last activity, which does not go back', async () => {
      const [to, a, b, users] = [someone(), someone(), someone(), usersAt()]
      const { tail } = dmDraft(a, to)
      await store().dms.deliver(to, dmOf(a, to), '3000-1' as MessageId, tail)
      await store().dms.deliver(to, dmOf(b, to), '2000-1' as MessageId, tail)
      await store().dms.deliver(to, dmOf(a, to), '1000-2' as MessageId, tail)
      expect((await users.books(to)).dms).toEqual([dmOf(a, to), dmOf(b, to)])
    })

    it('tells each node that holds the user, with the position', async () => {
      const [to, near, far] = [someone(), someNode(), someNode()]
      await usersAt(near).join(sessionOf(to))
      await usersAt(far).join(sessionOf(to))
      const ears = [await store().ear(near, `user:${to}`), await store().ear(far, `user:${to}`)]
      const from = someone()
      const [position] = await deliver(to, 1, from)
      for (const ear of ears) {
        const [entry, ...more] = await ear.heard()
        expect(more).toEqual([])
        expect(entry).toMatchObject({ kind: 'm', topic: `user:${to}`, mark: position })
        expect(JSON.parse(entry!.frame)).toMatchObject({
          op: 'message',
          conv: dmOf(from, to),
          from,
          inbox: position,
        })
      }
    })
  })

  describe('reading an inbox', () => {
    it('gives what is after a position, in pages, with the head', async () => {
      const [to, users] = [someone(), usersAt()]
      const positions = await deliver(to, 5)
      const { range: page } = await users.catchUp(to, positions[1]!, 2)
      expect(await users.entries(to, positions[1]!, 2)).toEqual(page.entries)
      expect(page.entries.map(({ position }) => position)).toEqual(positions.slice(2, 4))
      expect(page.head).toBe(positions[4])
    })

    it('takes a position that is no entry’s for the last before it', async () => {
      const [to, users] = [someone(), usersAt()]
      const positions = await deliver(to, 2)
      const entries = await users.entries(
        to,
        `${Number(positions[0]!.split('-')[0]) - 5}-99` as InboxPosition,
        10,
      )
      expect(entries.map(({ position }) => position)).toEqual(positions)
    })

    it('has the head where nothing comes after the position', async () => {
      const [to, users] = [someone(), usersAt()]
      const positions = await deliver(to, 2)
      expect((await users.catchUp(to, positions[1]!, 10)).range).toEqual({
        head: positions[1],
        entries: [],
      })
    })

    it('[P4] tells of no more than it gives, whatever comes while it reads', async () => {
      const [to, users] = [someone(), usersAt()]
      const written = deliver(to, 50)
      for (let done = false; !done; ) {
        done = await Promise.race([written.then(() => true), users.head(to).then(() => false)])
        const { head, entries } = (await users.catchUp(to, ORIGIN, 100)).range
        expect(head).toBe(entries.at(-1)?.position ?? ORIGIN)
      }
    })

    it('is empty for one who never got anything', async () => {
      expect((await usersAt().catchUp(someone(), ORIGIN, 10)).range).toEqual({
        head: '0-0',
        entries: [],
      })
    })
  })

  describe('a user’s books', () => {
    it('list their dms, the latest first, their groups, and how far they have read in channels', async () => {
      const [to, a, b, users] = [someone(), someone(), someone(), usersAt()]
      await deliver(to, 1, a)
      await store().dms.deliver(to, dmOf(b, to), `${Date.now() + 9}-1` as MessageId, '"id":"1-1"')
      const { group } = await store().group(a, [to])
      await store().groups.noteMembership(to, { change: 'enter', group, id: '5-5' as MessageId, tail: '' })
      const lobby = channelConv('lobby')
      await users.readChannel(to, lobby, '7-7' as MessageId, true)
      expect(await users.books(to)).toEqual({
        dms: [dmOf(b, to), dmOf(a, to)],
        groups: [group],
        reads: new Map([[lobby, '7-7']]),
      })
    })

    it('are empty for one who never got anything', async () => {
      expect(await usersAt().books(someone())).toEqual({ dms: [], groups: [], reads: new Map() })
    })
  })

  describe('received', () => {
    /** Fills whole nodes of the stream, which is what Redis trims by. */
    const MANY = 250

    it('[P1] trims to what every device has', async () => {
      const [to, users] = [someone(), usersAt()]
      const [one, two] = [sessionOf(to), sessionOf(to)]
      await users.join(one)
      await users.join(two)
      const positions = await deliver(to, MANY)
      await users.received(to, one.device, positions.at(-1)!)
      expect(await xlen(to)).toBe(MANY)
      await users.received(to, two.device, positions[149]!)
      expect(await xlen(to)).toBeLessThanOrEqual(MANY - 100)
      const entries = await users.entries(to, positions[149]!, MANY)
      expect(entries.map(({ position }) => position)).toEqual(positions.slice(150))
    })

    it('[P1] keeps everything for a device that never said what it has', async () => {
      const [to, users] = [someone(), usersAt()]
      const [one, two] = [sessionOf(to), sessionOf(to)]
      await users.join(one)
      await users.join(two)
      const positions = await deliver(to, MANY)
      await users.received(to, one.device, positions.at(-1)!)
      expect(await users.entries(to, ORIGIN, MANY)).toHaveLength(MANY)
      expect(await users.devicePosition(to, two.device)).toBe('0-0')
    })

    it('moves only forward, and never past the head', async () => {
      const [to, users, device] = [someone(), usersAt(), someDevice()]
      await users.join(sessionOf(to, { device }))
      const positions = await deliver(to, 3)
      await users.received(to, device, positions[1]!)
      await users.received(to, device, positions[0]!)
      expect(await users.devicePosition(to, device)).toBe(positions[1])
      await users.received(to, device, '9007199254740991-9007199254740991' as InboxPosition)
      expect(await users.devicePosition(to, device)).toBe(positions[2])
    })

    it('gives each entry once, to the first device that has it', async () => {
      const [to, from, users] = [someone(), someone(), usersAt()]
      const positions = await deliver(to, 4, from)
      const [one, two] = [someDevice(), someDevice()]
      const first = await users.received(to, one, positions[1]!)
      const other = await users.received(to, two, positions[2]!)
      const again = await users.received(to, one, positions[2]!)
      expect([first, other, again].map(({ covered }) => covered.length)).toEqual([2, 1, 0])
      expect(tailHead(first.covered[0]!.tail)).toEqual({ from, conv: dmOf(from, to) })
    })

    it('[P1] keeps a device’s place while the inbox is numbered on after it was emptied', async () => {
      const [to, users, device] = [someone(), usersAt(), someDevice()]
      await users.join(sessionOf(to, { device }))
      const before = await deliver(to, MANY)
      await users.received(to, device, before.at(-1)!)
      await store().redis.del(store().key(`user:${to}`, 'inbox'))
      const [next] = await deliver(to, 1)
      expect(seqOf(next!)).toBe(MANY + 1)
      const again = await users.join(sessionOf(to, { device }))
      expect(ok(again)).toMatchObject({ devicePosition: before.at(-1), oldestInbox: next, inboxHead: next })
    })

    it('remembers 100 devices, and forgets the one unseen for longest when there is one more', async () => {
      const [to, users] = [someone(), usersAt(someNode(), { sessions: 1_000 })]
      const since = Date.now()
      const names = Array.from({ length: 110 }, (_, n) => `device-${n}` as DeviceId)
      for (const [n, device] of names.entries()) await users.join(sessionOf(to, { device, since: since + n }))
      const known = await store().redis.hkeys(store().key(`user:${to}`, 'devices'))
      expect(known.toSorted()).toEqual(names.slice(-100).toSorted())
      const again = await users.join(sessionOf(to, { device: names.at(-1)!, since: since + 200 }))
      expect(ok(again)).toMatchObject({ devicePosition: '0-0', devices: 100 })
    })

    it('forgets devices that were not seen for long, once there are many', async () => {
      const [to, users] = [someone(), usersAt(someNode(), { sessions: 100 })]
      const long = Date.now() - 31 * 24 * 3_600_000
      for (let i = 0; i < 16; i++) await users.join(sessionOf(to, { since: i < 10 ? long : Date.now() }))
      expect(ok(await users.join(sessionOf(to))).devices).toBe(7)
    })
  })
}
