/** What group calls have still to tell: noted with the change, found by who finishes, told once, taken away. */
import {
  type GroupId,
  groupConv,
  type InboxPosition,
  type MessageId,
  type NodeId,
  type UserId,
} from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import { eventTail, eventTailAround } from '../../../src/services/message-json.ts'
import type { Telling } from '../../../src/services/ports.ts'
import { Tellings } from '../../../src/services/tellings.ts'
import type { GroupStore } from '../../../src/store/group-store.ts'
import { ok, type StoreWorld, silent, someGroup, someNode, someone } from '../../support/server-store.ts'

export function tellingsSuite(store: () => StoreWorld): void {
  const bucketOf = (group: GroupId) => store().keys.bucketOf(groupConv(group))
  const left = async (node: NodeId, bucket: number, by: GroupStore = store().groups) => {
    const all: Telling[] = []
    for await (const page of by.untold(bucket, node)) all.push(...page)
    return all
  }
  const groupsOf = async (user: UserId) => (await store().usersAt(someNode()).books(user)).groups
  const inboxOf = (user: UserId) =>
    store()
      .usersAt(someNode())
      .entries(user, '0-0' as InboxPosition, 100)

  const create = async (node: NodeId, owner: UserId, others: UserId[] = [], group = someGroup()) => {
    const about = { name: 'x', intro: '', icon: '', join: 'invite', history: 'joined' } as const
    const tail = eventTail(groupConv(group), owner, {
      type: 'event',
      event: 'member_joined',
      users: [owner, ...others],
      by: owner,
    })
    const { id } = ok(await store().groupsAt(node).create(group, owner, about, others, tail))
    return { group, id, tail }
  }
  const add = async (node: NodeId, group: GroupId, by: UserId, users: UserId[]) => {
    const around = eventTailAround(groupConv(group), by, (list) => {
      return { type: 'event', event: 'member_joined', users: list, by }
    })
    return ok(await store().groupsAt(node).add(group, by, users, around))
  }
  const remove = async (node: NodeId, group: GroupId, by: UserId, user: UserId) => {
    const tail = eventTail(groupConv(group), by, {
      type: 'event',
      event: 'member_removed',
      users: [user],
      by,
    })
    return { tail, ...ok(await store().groupsAt(node).remove(group, by, user, tail)) }
  }

  describe('what is to be told', () => {
    it('is noted with the change, by who called, and gone when they are told', async () => {
      const [owner, a, b, c, node, other] = [
        someone(),
        someone(),
        someone(),
        '__proto__' as UserId,
        someNode(),
        someNode(),
      ]
      const made = await create(node, owner, [a])
      const { group } = made
      const added = await add(node, group, owner, [b, a, c])
      const removed = await remove(other, group, owner, a)
      expect(await left(node, bucketOf(group))).toEqual(
        expect.arrayContaining([
          { change: 'enter', group, id: made.id, users: [owner, a], tail: made.tail },
          { change: 'enter', group, id: added.id, users: [b, c], tail: added.tail },
        ]),
      )
      expect(await left(other, bucketOf(group))).toEqual([
        { change: 'exit', group, id: removed.id, users: [a], tail: removed.tail },
      ])
      await store().groupsAt(node).told({ group, id: made.id })
      await store().groups.told({ group, id: added.id }, node)
      expect(await left(node, bucketOf(group))).toEqual([])
      expect(await left(other, bucketOf(group))).toHaveLength(1)
    })

    it('is nothing where nothing has changed', async () => {
      const [owner, there, node] = [someone(), someone(), someNode()]
      const { group } = await store().group(owner, [there])
      await add(node, group, owner, [there])
      await store().groupsAt(node).remove(group, there, owner, '')
      await store().groupsAt(node).remove(group, owner, someone(), '')
      expect(await left(node, bucketOf(group))).toEqual([])
    })

    it('is given whole, a page at a time, while it is being taken away', async () => {
      const [owner, node] = [someone(), someNode()]
      const { group } = await create(node, owner)
      const users = Array.from({ length: 100 }, () => someone())
      for (const user of users) await add(node, group, owner, [user])
      const seen: UserId[] = []
      let pages = 0
      for await (const page of store().groups.untold(bucketOf(group), node)) {
        pages += 1
        for (const telling of page) {
          seen.push(...telling.users)
          await store().groups.told(telling, node)
        }
      }
      expect(seen.toSorted()).toEqual([owner, ...users].toSorted())
      expect(pages).toBeGreaterThan(1)
      expect(await left(node, bucketOf(group))).toEqual([])
    })

    it('shows in the reaping of the node, bucket by bucket', async () => {
      const [owner, node] = [someone(), someNode()]
      const { group, id } = await create(node, owner)
      const reaped = () => store().online.reap(bucketOf(group), node)
      expect(await reaped()).toMatchObject({ left: 0, untold: 1 })
      expect(await reaped()).toMatchObject({ left: 0, untold: 1 })
      expect(await store().online.reap((bucketOf(group) + 1) % 1024, node)).toMatchObject({ untold: 0 })
      await store().groups.told({ group, id }, node)
      expect(await reaped()).toMatchObject({ left: 0, untold: 0 })
    })
  })

  describe('finishing', () => {
    const tellings = () => new Tellings({ groups: store().groups, log: silent })

    it('[P1] tells all who were not told, each once, however many finish at the same time', async () => {
      const [owner, a, b, node] = [someone(), someone(), someone(), someNode()]
      const { group, id } = await create(node, owner, [a])
      const added = await add(node, group, owner, [b])
      await Promise.all([1, 2, 3].map(() => tellings().finish([bucketOf(group)], node)))
      for (const user of [owner, a, b]) expect(await groupsOf(user)).toEqual([group])
      expect(await inboxOf(a)).toMatchObject([
        { id, tail: expect.stringMatching(`^"conv":"group:${group}"`) },
      ])
      expect(await inboxOf(b)).toMatchObject([{ id: added.id, tail: added.tail }])
      expect(await left(node, bucketOf(group))).toEqual([])
    })

    it('[P6] takes out who was removed', async () => {
      const [owner, user, node] = [someone(), someone(), someNode()]
      const { group } = await create(node, owner, [user])
      await tellings().finish([bucketOf(group)], node)
      await remove(node, group, owner, user)
      expect(await groupsOf(user)).toEqual([group])
      await tellings().finish([bucketOf(group)], node)
      expect(await groupsOf(user)).toEqual([])
    })

    it('[P6] leaves users as the group has them, however calls on several nodes and their finishing cross', async () => {
      const [owner, user, one, two] = [someone(), someone(), someNode(), someNode()]
      const { group } = await create(one, owner)
      for (const [into, out] of [
        [one, two],
        [two, one],
      ] as const) {
        await add(into, group, owner, [user])
        await remove(out, group, owner, user)
        await tellings().finish([bucketOf(group)], out)
        await tellings().finish([bucketOf(group)], into)
        expect(await groupsOf(user)).toEqual([])
      }
      await add(one, group, owner, [user])
      await tellings().finish([bucketOf(group)], one)
      await remove(two, group, owner, user)
      const again = await add(one, group, owner, [user])
      await tellings().finish([bucketOf(group)], one)
      await tellings().finish([bucketOf(group)], two)
      expect(await groupsOf(user)).toEqual([group])
      expect((await inboxOf(user)).at(-1)?.id).toBe(again.id)
    })

    it('goes on with the others where one cannot be told, and says so', async () => {
      const [owner, a, b, node] = [someone(), someone(), someone(), someNode()]
      const { group } = await create(node, owner)
      await add(node, group, owner, [a])
      await add(node, group, owner, [b])
      await store().redis.set(store().key(`user:${a}`, 'groups'), 'broken')
      await expect(tellings().finish([bucketOf(group)], node)).rejects.toThrow('WRONGTYPE')
      expect(await left(node, bucketOf(group))).toMatchObject([{ users: [a] }])
      expect(await groupsOf(b)).toEqual([group])
      await store().redis.del(store().key(`user:${a}`, 'groups'))
      await tellings().finish([bucketOf(group)], node)
      expect(await groupsOf(a)).toEqual([group])
    })
  })

  describe('a call that breaks off', () => {
    /** Groups of a node for which what `fails` names fails, and so does all that comes after, until `mend`. */
    const broken = (node: NodeId, fails: 'noteMembership' | 'told') => {
      const real = store().groupsAt(node)
      let away = true
      const { promise: finished, resolve } = Promise.withResolvers<void>()
      const unlessAway = <Args extends unknown[], Result>(
        name: string,
        call: (...args: Args) => Promise<Result>,
      ) => {
        return async (...args: Args): Promise<Result> => {
          if (away && name === fails) throw new Error(`${name}: away`)
          return call(...args)
        }
      }
      const groups = {
        bucketOf: (group: GroupId) => real.bucketOf(group),
        untold: (bucket: number) => real.untold(bucket),
        noteMembership: unlessAway('noteMembership', real.noteMembership.bind(real)),
        told: unlessAway('told', async (telling: { group: GroupId; id: MessageId }) => {
          await real.told(telling)
          resolve()
        }),
      }
      return {
        tellings: new Tellings({ groups, log: silent }),
        finished,
        mend() {
          away = false
        },
      }
    }

    it.each(['noteMembership', 'told'] as const)(
      'at %s is finished by the node itself, which till then doesn’t go in peace',
      async (fails) => {
        const [owner, a, node] = [someone(), someone(), someNode()]
        const { group, id, tail } = await create(node, owner, [a])
        const { tellings, finished, mend } = broken(node, fails)
        const telling: Telling = { change: 'enter', group, id, users: [owner, a], tail }
        await expect(tellings.during(group, () => tellings.tell(telling))).rejects.toThrow('away')
        mend()
        await finished
        for (const user of [owner, a]) expect(await groupsOf(user)).toEqual([group])
        expect(await left(node, bucketOf(group))).toEqual([])
        expect(await tellings.close(1_000)).toBe(false)
      },
    )

    it('with its answer lost is finished by the node too', async () => {
      const [owner, node] = [someone(), someNode()]
      const { tellings, finished, mend } = broken(node, 'told')
      mend()
      const group = someGroup()
      const call = async () => {
        await create(node, owner, [], group)
        throw new Error('the answer is lost')
      }
      await expect(tellings.during(group, call)).rejects.toThrow('lost')
      await finished
      expect(await groupsOf(owner)).toEqual([group])
      expect(await tellings.close(1_000)).toBe(false)
    })
  })

  describe('a node that leaves', () => {
    it('waits for calls under way, and goes in peace when all is told', async () => {
      const tellings = new Tellings({ groups: store().groups, log: silent })
      const { promise, resolve } = Promise.withResolvers<void>()
      const call = tellings.during(someGroup(), () => promise)
      const closing = tellings.close(20_000)
      resolve()
      await call
      expect(await closing).toBe(true)
    })

    it('leaves a call that hangs to its reaper', async () => {
      const tellings = new Tellings({ groups: store().groups, log: silent })
      void tellings.during(someGroup(), () => new Promise(() => {}))
      expect(await tellings.close(10)).toBe(false)
    })
  })
}
