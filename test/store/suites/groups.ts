/** Groups: making them, taking in and out, who may, and pages of members. */
import { type GroupId, groupConv, type MessageId, seqOf, type UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import { eventTail, parseMessage } from '../../../src/services/message-json.ts'
import type { MemberListed } from '../../../src/services/ports.ts'
import { ok, type StoreWorld, sessionOf, someGroup, someNode, someone } from '../../support/server-store.ts'

export function groupsSuite(store: () => StoreWorld): void {
  const role = (group: GroupId, user: UserId, is: 'admin' | 'owner') =>
    store().redis.hset(store().key(groupConv(group), 'members'), user, `${is} 1-1 0`)
  const lastEvent = async (group: GroupId) => {
    const [entry] = await store().redis.xrevrange(store().key(groupConv(group), 'log'), '+', '-', 'COUNT', 1)
    return parseMessage(entry![0], entry![1][1]!).body
  }

  describe('create', () => {
    it('makes a group once, with all its members joined at its first id', async () => {
      const [owner, a, b, group] = [someone(), someone(), someone(), someGroup()]
      const about = { name: 'Naïve "x"', intro: 'in', icon: '', join: 'invite', history: 'all' } as const
      const tail = eventTail(groupConv(group), owner, {
        type: 'event',
        event: 'member_joined',
        users: [],
        by: owner,
      })
      const makes = await Promise.all(
        Array.from({ length: 5 }, () => store().groups.create(group, owner, about, [a, b], tail)),
      )
      expect(makes.map(({ is }) => is).toSorted()).toEqual([
        'conflict',
        'conflict',
        'conflict',
        'conflict',
        'ok',
      ])
      const { id, createdAt } = makes.find((made) => made.is === 'ok')!
      expect(seqOf(id)).toBe(1)
      expect(await store().groups.describe(group, a)).toEqual({
        is: 'ok',
        ...about,
        owner,
        members: 3,
        createdAt,
      })
      expect(ok(await store().groups.list(group, b, '', 10)).members.map(({ joined }) => joined)).toEqual([
        id,
        id,
        id,
      ])
    })

    it('is nothing to those outside, unless it is open', async () => {
      const { group: closed } = await store().group(someone())
      const { group: open } = await store().group(someone(), [], { join: 'open' })
      expect(await store().groups.describe(closed, someone())).toEqual({ is: 'not_member' })
      expect(await store().groups.describe(open, someone())).toMatchObject({ is: 'ok', members: 1 })
      expect(await store().groups.describe(someGroup(), someone())).toEqual({ is: 'not_found' })
    })
  })

  describe('add-members', () => {
    it('takes in those who are new, with one event that names them alone', async () => {
      const [owner, there, a, b] = [someone(), someone(), someone(), someone()]
      const { group, conv, id } = await store().group(owner, [there])
      const added = ok(await store().add(group, there, [a, there, b]))
      expect(added).toMatchObject({ added: [a, b], there: [[there, id]] })
      expect(seqOf(added.id)).toBe(seqOf(id) + 1)
      expect(await lastEvent(group)).toEqual({
        type: 'event',
        event: 'member_joined',
        users: [a, b],
        by: there,
      })
      expect(await store().convs.attach(conv, someNode(), a)).toEqual({ head: added.id, joined: added.id })
    })

    it('writes nothing where nobody is new', async () => {
      const [owner, there] = [someone(), someone()]
      const { group, conv, id } = await store().group(owner, [there])
      expect(await store().add(group, owner, [there])).toEqual({
        is: 'ok',
        id,
        tail: '',
        added: [],
        there: [[there, id]],
      })
      expect(await store().redis.xlen(store().key(conv, 'log'))).toBe(1)
    })

    it('takes each user in once when several add them at the same time', async () => {
      const [owner, user] = [someone(), someone()]
      const { group } = await store().group(owner)
      const adds = await Promise.all(Array.from({ length: 10 }, () => store().add(group, owner, [user])))
      expect(adds.flatMap((add) => ok(add).added)).toEqual([user])
    })

    it('lets a stranger in by themselves where the group is open, and nobody else with them', async () => {
      const [a, b] = [someone(), someone()]
      const { group: open } = await store().group(someone(), [], { join: 'open' })
      const { group: closed } = await store().group(someone())
      expect(await store().add(open, a, [b])).toEqual({ is: 'not_member' })
      expect(await store().add(open, a, [a, b])).toEqual({ is: 'not_member' })
      expect(await store().add(open, a, [a])).toMatchObject({ is: 'ok', added: [a] })
      expect(await store().add(closed, a, [a])).toEqual({ is: 'forbidden' })
      expect(await store().add(someGroup(), a, [a])).toEqual({ is: 'not_found' })
    })
  })

  describe('remove-member', () => {
    it('[P6] takes out once, and gives the id that is the border', async () => {
      const [owner, user] = [someone(), someone()]
      const { group, conv, id } = await store().group(owner, [user])
      const removed = ok(await store().remove(group, owner, user))
      expect(seqOf(removed.id)).toBe(seqOf(id) + 1)
      expect(await store().remove(group, owner, user)).toEqual({ is: 'no_such_member' })
      expect(await store().redis.hexists(store().key(conv, 'reads'), user)).toBe(0)
      expect(await store().groups.list(group, user, '', 10)).toEqual({ is: 'not_member' })
    })

    it('is for those of a higher role, and for oneself', async () => {
      const [owner, admin, other, a, b] = [someone(), someone(), someone(), someone(), someone()]
      const { group } = await store().group(owner, [admin, other, a, b])
      await role(group, admin, 'admin')
      await role(group, other, 'admin')
      const remove = async (by: UserId, user: UserId) => (await store().remove(group, by, user)).is
      expect(await remove(a, b)).toBe('forbidden')
      expect(await remove(a, admin)).toBe('forbidden')
      expect(await remove(admin, other)).toBe('forbidden')
      expect(await remove(admin, owner)).toBe('forbidden')
      expect(await remove(admin, a)).toBe('ok')
      expect(await remove(b, b)).toBe('ok')
      expect(await remove(owner, admin)).toBe('ok')
      expect(await remove(someone(), other)).toBe('not_member')
    })

    it('lets the owner go only when nobody else is left', async () => {
      const [owner, user] = [someone(), someone()]
      const { group } = await store().group(owner, [user])
      expect(await store().remove(group, owner, owner)).toEqual({ is: 'owner_stays' })
      ok(await store().remove(group, owner, user))
      expect(await store().remove(group, owner, owner)).toMatchObject({ is: 'ok' })
    })

    it('lets one in again who was removed, from their new joining on', async () => {
      const [owner, user] = [someone(), someone()]
      const { group, conv } = await store().group(owner, [user])
      ok(await store().remove(group, owner, user))
      const { id } = ok(await store().add(group, owner, [user]))
      expect((await store().convs.attach(conv, someNode(), user)).joined).toBe(id)
    })
  })

  describe('membership', () => {
    const note = (change: 'enter' | 'exit', user: UserId, group: GroupId, id: string) =>
      store().groups.noteMembership(user, {
        change,
        group,
        id: id as MessageId,
        tail: eventTail(groupConv(group), user, { type: 'event', event: 'member_left', users: [user] }),
      })

    it('stands in the user’s own books once, and in their inbox', async () => {
      const [user, group, users] = [someone(), someGroup(), store().usersAt(someNode())]
      const position = await note('enter', user, group, '5-5')
      expect(position).toMatch(/-1$/)
      expect(await note('enter', user, group, '5-5')).toBeUndefined()
      expect((await users.books(user)).groups).toEqual([group])
      const entries = await users.entries(user, '0-0' as never, 10)
      expect(entries).toHaveLength(1)
      expect(entries[0]).toMatchObject({ id: '5-5', tail: expect.stringMatching(`^"conv":"group:${group}"`) })
      expect(await note('exit', user, group, '6-6')).toMatch(/-2$/)
      expect(await note('exit', user, group, '6-6')).toBeUndefined()
      expect((await users.books(user)).groups).toEqual([])
    })

    it('stands as the change with the highest id has it, in whatever order they come', async () => {
      const [user, group, users] = [someone(), someGroup(), store().usersAt(someNode())]
      const isIn = async () => (await users.books(user)).groups.length === 1
      // Never heard of, and out already: what comes late must not bring them back.
      expect(await note('exit', user, group, '7-7')).toBeUndefined()
      expect(await note('enter', user, group, '7-6')).toBeUndefined()
      expect(await isIn()).toBe(false)
      expect(await note('enter', user, group, '7-10')).toMatch(/-1$/)
      expect(await note('exit', user, group, '7-9')).toBeUndefined()
      expect(await isIn()).toBe(true)
      expect(await note('exit', user, group, '8-1')).toMatch(/-2$/)
      expect(await note('enter', user, group, '7-99')).toBeUndefined()
      expect(await isIn()).toBe(false)
    })

    it('is ordered anew where a removal in between comes late: the nodes have let go by then', async () => {
      const [user, group, node] = [someone(), someGroup(), someNode()]
      await store().usersAt(node).join(sessionOf(user))
      await note('enter', user, group, '5-5')
      const ear = await store().ear(node, `user:${user}`)
      expect(await note('enter', user, group, '5-7')).toMatch(/-2$/)
      expect(await note('exit', user, group, '5-6')).toBeUndefined()
      expect((await ear.heard()).map(({ frame }) => JSON.parse(frame) as object)).toMatchObject([
        { do: 'enter', user, group, id: '5-7' },
        { op: 'message', id: '5-7' },
      ])
    })

    it('forgets of groups left long ago when there are many, and of no other', async () => {
      const [user, kept, users] = [someone(), someGroup(), store().usersAt(someNode())]
      const now = Date.now()
      await note('enter', user, kept, '5-5')
      const left = Array.from({ length: 120 }, someGroup)
      await Promise.all(left.map((group) => note('exit', user, group, '5-5')))
      const recent = someGroup()
      await note('exit', user, recent, `${now}-5`)
      expect(await note('enter', user, recent, `${now}-4`)).toBeUndefined()
      expect(await note('enter', user, kept, '5-5')).toBeUndefined()
      expect(await store().redis.hlen(store().key(`user:${user}`, 'turns'))).toBeLessThan(110)
      expect((await users.books(user)).groups).toEqual([kept])
    })

    it('[P6] orders the nodes before it tells the user, in one go', async () => {
      const [user, group, node] = [someone(), someGroup(), someNode()]
      await store().usersAt(node).join(sessionOf(user))
      const ear = await store().ear(node, `user:${user}`)
      const position = await note('enter', user, group, '5-5')
      const heard = await ear.heard()
      expect(heard.map(({ kind, topic, mark }) => [kind, topic, mark])).toEqual([
        ['c', `user:${user}`, position],
        ['m', `user:${user}`, position],
      ])
      expect(JSON.parse(heard[0]!.frame)).toEqual({ do: 'enter', user, group, id: '5-5' })
      expect(JSON.parse(heard[1]!.frame)).toMatchObject({ op: 'message', id: '5-5', inbox: position })
    })
  })

  describe('list-members', () => {
    it('pages through all by name, whoever comes and goes', async () => {
      const owner = someone('m')
      const others = Array.from({ length: 7 }, () => someone('m'))
      const { group } = await store().group(owner, others)
      const seen: MemberListed[] = []
      for (let after = ''; ; ) {
        const page = ok(await store().groups.list(group, owner, after, 3))
        expect(page.total).toBe(8)
        seen.push(...page.members)
        if (page.members.length < 3) break
        after = page.members.at(-1)!.user
      }
      expect(seen.map(({ user }) => user)).toEqual([owner, ...others].toSorted())
      expect(seen.find(({ user }) => user === owner)?.role).toBe('owner')
      ok(await store().remove(group, owner, seen[3]!.user === owner ? seen[4]!.user : seen[3]!.user))
      const rest = ok(await store().groups.list(group, owner, seen[3]!.user, 10))
      expect(rest).toMatchObject({ total: 7 })
      expect(rest.members.every(({ user }) => user > seen[3]!.user)).toBe(true)
    })

    it('gives role and mute as they are, for any well-formed name', async () => {
      const owner = someone()
      const { group, conv, id } = await store().group(owner, ['__proto__' as UserId])
      await store().redis.hset(store().key(conv, 'members'), '__proto__', `admin ${id} 1760000000000`)
      const { members } = ok(await store().groups.list(group, owner, '', 1))
      expect(members).toEqual([{ user: '__proto__', role: 'admin', joined: id, mutedUntil: 1760000000000 }])
    })

    it('is for members alone', async () => {
      const { group } = await store().group(someone())
      expect(await store().groups.list(group, someone(), '', 10)).toEqual({ is: 'not_member' })
      expect(await store().groups.list(someGroup(), someone(), '', 10)).toEqual({ is: 'not_found' })
    })
  })
}
