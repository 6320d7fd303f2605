/** Sessions and presence: joining, leaving, the grace, being thrown out. */
import type { GroupId, NodeId, SessionId, UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import {
  ok,
  type StoreWorld,
  sessionOf,
  someDevice,
  someGroup,
  someNode,
  someone,
} from '../../support/server-store.ts'

export function sessionsSuite(store: () => StoreWorld): void {
  const at = (node: NodeId, more = {}) => store().usersAt(node, more)
  const isOnline = (user: UserId) => store().isOnline(user)
  const bucketOf = (user: UserId) => store().keys.bucketOf(`user:${user}`)
  const held = (node: NodeId, user: UserId) =>
    store().redis.sismember(store().keys.held(bucketOf(user), node), `user:${user}`)
  const nodesOf = (user: UserId) => store().nodesOf(`user:${user}`)

  describe('join', () => {
    it('makes the first session, and says so once however many come at the same time', async () => {
      const [user, node] = [someone(), someNode()]
      const all = await Promise.all(Array.from({ length: 10 }, () => at(node).join(sessionOf(user))))
      expect(all.map((joined) => ok(joined).came).filter((came) => came !== undefined)).toEqual([1])
      expect(await isOnline(user)).toBe(true)
      expect(await nodesOf(user)).toEqual([node])
      expect(await held(node, user)).toBe(1)
    })

    it('lets in as many as may be, and no more, under concurrency too', async () => {
      const [user, node] = [someone(), someNode()]
      const all = await Promise.all(Array.from({ length: 30 }, () => at(node).join(sessionOf(user))))
      expect(all.filter(({ is }) => is === 'ok')).toHaveLength(16)
      expect(await at(node).list(user)).toHaveLength(16)
    })

    it('has room again when one leaves', async () => {
      const [user, node] = [someone(), someNode()]
      const first = sessionOf(user)
      const users = at(node, { sessions: 1 })
      await users.join(first)
      expect(await users.join(sessionOf(user))).toEqual({ is: 'full' })
      await users.leave(user, first.session)
      expect(await users.join(sessionOf(user))).toMatchObject({ is: 'ok' })
    })

    it('knows a device again, and not one that is new', async () => {
      const [user, device, users] = [someone(), someDevice(), at(someNode())]
      expect(ok(await users.join(sessionOf(user, { device }))).devicePosition).toBeUndefined()
      expect(ok(await users.join(sessionOf(user, { device })))).toMatchObject({
        devicePosition: '0-0',
        devices: 1,
      })
      expect(ok(await users.join(sessionOf(user))).devices).toBe(2)
    })

    it('shows the name set here before the token’s, and the token’s newest', async () => {
      const [user, users] = [someone(), at(someNode())]
      const nameOf = async (name?: string) => ok(await users.join(sessionOf(user, { name }))).name
      expect(await nameOf()).toBeUndefined()
      expect(await nameOf('first')).toBe('first')
      expect(await nameOf('second')).toBe('second')
      expect(await nameOf()).toBe('second')
      await store().redis.hset(store().key(`user:${user}`, 'profile'), 'name', 'own')
      expect(await nameOf('third')).toBe('own')
    })

    it('tells every node that holds the user of all sessions', async () => {
      const [user, one, two] = [someone(), someNode(), someNode()]
      const [first, second] = [sessionOf(user, { platform: 'a "b"' }), sessionOf(user)]
      expect(ok(await at(one).join(first)).sessionFrame).toBeUndefined()
      const ears = [await store().ear(one, `user:${user}`), await store().ear(two, `user:${user}`)]
      const { sessionFrame } = ok(await at(two).join(second))
      for (const ear of ears) {
        expect(await ear.heard()).toEqual([
          { kind: 's', topic: `user:${user}`, mark: '2/2', frame: sessionFrame },
        ])
      }
      const { sessions } = JSON.parse(sessionFrame!) as { sessions: { session: string }[] }
      const [a] = sessions.filter(({ session }) => session === first.session)
      expect(a).toEqual({
        session: first.session,
        device: first.device,
        platform: 'a "b"',
        node: 'gw',
        since: first.since,
      })
      expect(sessions).toHaveLength(2)
    })

    it('takes any well-formed id for a user', async () => {
      const user = '__proto__' as UserId
      const node = someNode()
      expect(await at(node).join(sessionOf(user))).toMatchObject({ is: 'ok' })
      expect(await at(node).list(user)).toHaveLength(1)
      expect(await isOnline(user)).toBe(true)
    })
  })

  describe('leave and offline', () => {
    it('[P5] ends presence with the last session, and once', async () => {
      const [user, node] = [someone(), someNode()]
      const [one, two] = [sessionOf(user), sessionOf(user)]
      await at(node).join(one)
      await at(node).join(two)
      expect(await at(node).leave(user, one.session)).toEqual({ last: false, online: 1 })
      expect(await at(node).leave(user, two.session)).toEqual({ last: true, online: 1 })
      expect(await isOnline(user)).toBe(true)
      const ends = await Promise.all([1, 2, 3].map(() => at(node).endPresence(user, two.session)))
      expect(ends).toEqual([{ gone: 2 }, { gone: 2 }, { gone: 2 }])
      expect(await isOnline(user)).toBe(false)
    })

    it('[P5] one who is back within the grace was never off', async () => {
      const [user, node, other] = [someone(), someNode(), someNode()]
      const one = sessionOf(user)
      await at(node).join(one)
      await at(node).leave(user, one.session)
      expect(ok(await at(other).join(sessionOf(user))).came).toBeUndefined()
      expect(await at(node).endPresence(user, one.session)).toEqual({ gone: undefined })
      expect(await isOnline(user)).toBe(true)
    })

    it('[P5] who left again in the grace of an earlier leaving has a whole grace of their own', async () => {
      const [user, node, other] = [someone(), someNode(), someNode()]
      const [one, two] = [sessionOf(user), sessionOf(user)]
      await at(node).join(one)
      await at(node).leave(user, one.session)
      await at(other).join(two)
      await at(other).leave(user, two.session)
      expect(await at(node).endPresence(user, one.session)).toEqual({ gone: undefined })
      expect(await isOnline(user)).toBe(true)
      expect(await at(other).endPresence(user, two.session)).toEqual({ gone: 2 })
    })

    it('[P5] a leaving that was not answered may be said again; one that never was changes nothing', async () => {
      const [user, node] = [someone(), someNode()]
      const one = sessionOf(user)
      await at(node).join(one)
      expect(await at(node).leave(user, one.session)).toEqual({ last: true, online: 1 })
      expect(await at(node).leave(user, one.session)).toEqual({ last: true, online: 1 })
      expect(await at(node).leave(user, sessionOf(user).session)).toEqual({ last: false })
      expect(await at(node).endPresence(user, one.session)).toEqual({ gone: 2 })
    })

    it('[P5] tells by which change one is online whose other sessions stay, also of a leaving that is repeated', async () => {
      const [user, node] = [someone(), someNode()]
      const [one, two] = [sessionOf(user), sessionOf(user)]
      await at(node).join(one)
      await at(node).leave(user, one.session)
      await at(node).join(two)
      expect(await at(node).leave(user, one.session)).toEqual({ last: false, online: 1 })
    })

    it('numbers every change, so that a late one shows', async () => {
      const [user, node] = [someone(), someNode()]
      const changes: (number | undefined)[] = []
      for (let i = 0; i < 3; i++) {
        const session = sessionOf(user)
        changes.push(ok(await at(node).join(session)).came)
        await at(node).leave(user, session.session)
        changes.push((await at(node).endPresence(user, session.session)).gone)
      }
      expect(changes).toEqual([1, 2, 3, 4, 5, 6])
    })

    it('[P5] keeps the user in the node’s note until everybody was told', async () => {
      const [user, node] = [someone(), someNode()]
      const one = sessionOf(user)
      await at(node).join(one)
      await at(node).leave(user, one.session)
      expect(await nodesOf(user)).toEqual([])
      expect(await held(node, user)).toBe(1)
      expect(await at(node).endPresence(user, one.session)).toEqual({ gone: 2 })
      expect(await held(node, user)).toBe(1)
      await at(node).release(user, one.session)
      expect(await held(node, user)).toBe(0)
    })

    it('lets a user go who is back elsewhere', async () => {
      const [user, node, other] = [someone(), someNode(), someNode()]
      const one = sessionOf(user)
      await at(node).join(one)
      await at(node).leave(user, one.session)
      await at(other).join(sessionOf(user))
      await at(node).endPresence(user, one.session)
      expect([await held(node, user), await held(other, user)]).toEqual([0, 1])
    })

    it('does not let a user go who has come back to the node', async () => {
      const [user, node] = [someone(), someNode()]
      const one = sessionOf(user)
      await at(node).join(one)
      await at(node).leave(user, one.session)
      await at(node).join(sessionOf(user))
      await at(node).endPresence(user, one.session)
      await at(node).release(user, one.session)
      expect(await held(node, user)).toBe(1)
    })

    it('[P5] does not let a user go who has come back to the node and left it again', async () => {
      const [user, node] = [someone(), someNode()]
      const [one, two] = [sessionOf(user), sessionOf(user)]
      await at(node).join(one)
      await at(node).leave(user, one.session)
      await at(node).join(two)
      await at(node).leave(user, two.session)
      await at(node).endPresence(user, one.session)
      await at(node).release(user, one.session)
      expect(await held(node, user)).toBe(1)
      expect(await at(node).endPresence(user, two.session)).toEqual({ gone: 2 })
      await at(node).release(user, two.session)
      expect(await held(node, user)).toBe(0)
    })

    it('tells the nodes that still hold the user, and not the one that has lost them', async () => {
      const [user, one, two] = [someone(), someNode(), someNode()]
      const [leaving, staying] = [sessionOf(user), sessionOf(user)]
      await at(one).join(leaving)
      await at(two).join(staying)
      const [left, stays] = [await store().ear(one, `user:${user}`), await store().ear(two, `user:${user}`)]
      await at(one).leave(user, leaving.session)
      expect(await left.heard()).toEqual([])
      expect(await stays.heard()).toMatchObject([{ kind: 's', mark: '1/2' }])
    })
  })

  describe('frames to a user', () => {
    it('reach all nodes, with who is excepted or may be left out', async () => {
      const [user, node] = [someone(), someNode()]
      const { session } = sessionOf(user)
      await at(node).join(sessionOf(user, { session }))
      const ear = await store().ear(node, `user:${user}`)
      await at(someNode()).tell(user, '{"a":1}')
      await at(someNode()).tell(user, '{"b":2}', session)
      await at(someNode()).hint(user, '{"c":3}')
      await at(someNode()).tell(someone(), '{"d":4}')
      const topic = `user:${user}`
      expect(await ear.heard()).toEqual([
        { kind: 'f', topic, mark: '-', frame: '{"a":1}' },
        { kind: 'o', topic, mark: session, frame: '{"b":2}' },
        { kind: 't', topic, mark: '-', frame: '{"c":3}' },
      ])
    })

    it('order the closing of one session or of all', async () => {
      const [user, node] = [someone(), someNode()]
      const session = sessionOf(user)
      await at(node).join(session)
      const ear = await store().ear(node, `user:${user}`)
      expect(await at(node).kick(user, session.session)).toBe('ok')
      expect(await at(node).kick(user, sessionOf(user).session)).toBe('not_found')
      expect(await at(node).kick(user, '*')).toBe('ok')
      const orders = (await ear.heard()).map(({ kind, frame }) => [kind, JSON.parse(frame)])
      expect(orders).toEqual([
        ['c', { do: 'kick', user, session: session.session }],
        ['c', { do: 'kick', user, session: '*' }],
      ])
    })
  })

  describe('rejoin', () => {
    it('[P5] puts back what Redis has lost of a node’s sessions', async () => {
      const [user, node] = [someone(), someNode()]
      const [one, two] = [sessionOf(user), sessionOf(user)]
      await at(node).join(one)
      await at(node).join(two)
      const own = `user:${user}`
      await store().redis.del(store().key(own, 'sessions'))
      await store().redis.hdel(store().key(own, 'state'), 'nodes')
      await store().redis.zrem(store().keys.online(bucketOf(user)), user)
      expect(await at(node).rejoin(user, [one, two])).toMatchObject({ came: 2, inboxHead: '0-0', groups: [] })
      expect(await nodesOf(user)).toEqual([node])
      expect((await at(node).list(user)).map(({ session }) => session).toSorted()).toEqual(
        [one.session, two.session].toSorted(),
      )
    })

    it('changes nothing where all is right, and tells the node alone, which may have missed a session', async () => {
      const [user, node, other] = [someone(), someNode(), someNode()]
      const session = sessionOf(user)
      await at(node).join(session)
      await at(other).join(sessionOf(user))
      const ears = [await store().ear(node, `user:${user}`), await store().ear(other, `user:${user}`)]
      expect(await at(node).rejoin(user, [session])).toMatchObject({ came: undefined })
      expect(await ears[0]!.heard()).toMatchObject([{ kind: 's', mark: '2/2' }])
      expect(await ears[1]!.heard()).toEqual([])
    })

    it('counts a session whose joining the node has not heard of yet', async () => {
      const [user, node] = [someone(), someNode()]
      const [known, unheard] = [sessionOf(user), sessionOf(user)]
      await at(node).join(known)
      await at(node).join(unheard)
      await at(node).rejoin(user, [known])
      await at(node).leave(user, known.session)
      expect(await nodesOf(user)).toEqual([node])
    })

    it('brings the groups, however many', async () => {
      const [user, node] = [someone(), someNode()]
      const groups = Array.from({ length: 9_000 }, (_, i) => `${someGroup()}-${i}` as GroupId)
      await store().redis.sadd(store().key(`user:${user}`, 'groups'), groups)
      const session = sessionOf(user)
      expect(ok(await at(node).join(session)).groups).toHaveLength(9_000)
      expect((await at(node).rejoin(user, [session])).groups).toHaveLength(9_000)
    })
  })

  it('has no session of a name that objects have by themselves', async () => {
    expect(await at(someNode()).kick(someone(), 'constructor' as SessionId)).toBe('not_found')
  })
}
