/** Who is online: read in pages, and taken offline where their node is dead. */
import type { NodeId, UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import { type StoreWorld, sessionOf, someNode, someone } from '../../support/server-store.ts'

export function onlineSuite(store: () => StoreWorld): void {
  const at = (node: NodeId) => store().usersAt(node)
  const isOnline = (user: UserId) => store().isOnline(user)
  const bucketOf = (user: UserId) => store().keys.bucketOf(`user:${user}`)
  const nodesOf = (user: UserId) => store().nodesOf(`user:${user}`)

  describe('reap', () => {
    it('[P5] takes a dead node’s users offline, and says who', async () => {
      const [user, dead] = [someone(), someNode()]
      await at(dead).join(sessionOf(user))
      await at(dead).join(sessionOf(user))
      expect(await store().online.reap(bucketOf(user), dead)).toEqual({
        left: 0,
        sessions: 2,
        untold: 0,
        gone: [[user, 2]],
      })
      expect(await isOnline(user)).toBe(false)
      expect([await nodesOf(user), await at(dead).list(user)]).toEqual([[], []])
    })

    it('[P5] leaves those online who live elsewhere, and tells them', async () => {
      const [user, dead, alive] = [someone(), someNode(), someNode()]
      await at(dead).join(sessionOf(user))
      await at(alive).join(sessionOf(user))
      const ear = await store().ear(alive, `user:${user}`)
      expect(await store().online.reap(bucketOf(user), dead)).toEqual({
        left: 0,
        sessions: 1,
        untold: 0,
        gone: [],
      })
      expect(await isOnline(user)).toBe(true)
      expect(await nodesOf(user)).toEqual([alive])
      expect(await ear.heard()).toMatchObject([{ kind: 's', mark: '1/2' }])
    })

    it('[P5] takes offline whom the node itself was about to, in the grace', async () => {
      const [user, dead] = [someone(), someNode()]
      const session = sessionOf(user)
      await at(dead).join(session)
      await at(dead).leave(user, session.session)
      expect((await store().online.reap(bucketOf(user), dead)).gone).toEqual([[user, 2]])
    })

    it('[P5] lets no leaving that is said again tell that they are there', async () => {
      const [user, dead] = [someone(), someNode()]
      const { session } = sessionOf(user)
      await at(dead).join(sessionOf(user, { session }))
      expect(await at(dead).leave(user, session)).toEqual({ last: true, online: 1 })
      await store().online.reap(bucketOf(user), dead)
      expect(await at(dead).leave(user, session)).toEqual({ last: false })
      expect(await at(dead).endPresence(user, session)).toEqual({ gone: undefined })
    })

    it('takes the node out of the lists of groups', async () => {
      const [owner, dead] = [someone(), someNode()]
      const { conv } = await store().group(owner)
      await store().convs.attach(conv, dead, owner)
      await store().online.reap(store().keys.bucketOf(conv), dead)
      expect(await store().nodesOf(conv)).toEqual([])
    })

    it('goes on in pieces until nothing is left', async () => {
      const dead = someNode()
      // In one bucket: ids that share its number.
      const users: UserId[] = []
      while (users.length < 130) {
        const user = someone()
        if (bucketOf(user) === bucketOf(users[0] ?? user)) users.push(user)
      }
      await Promise.all(users.map((user) => at(dead).join(sessionOf(user))))
      const first = await store().online.reap(bucketOf(users[0]!), dead)
      const second = await store().online.reap(bucketOf(users[0]!), dead)
      expect([first.left, second.left]).toEqual([30, 0])
      expect([...first.gone, ...second.gone].map(([user]) => user).toSorted()).toEqual(users.toSorted())
    })

    it('does nothing to a bucket of which the node held nothing', async () => {
      expect(await store().online.reap(7, someNode())).toEqual({ left: 0, sessions: 0, untold: 0, gone: [] })
    })
  })

  describe('the online set', () => {
    it('is read in pages, nobody twice', async () => {
      const users: UserId[] = []
      while (users.length < 5) {
        const user = someone()
        if (bucketOf(user) === bucketOf(users[0] ?? user)) users.push(user)
      }
      const bucket = bucketOf(users[0]!)
      const before = await store().online.total()
      await Promise.all(users.map((user) => at(someNode()).join(sessionOf(user))))
      const pages: UserId[] = []
      for (let after = ''; ; ) {
        const page = await store().online.page(bucket, after, 2)
        pages.push(...page)
        if (page.length < 2) break
        after = page.at(-1)!
      }
      expect(pages.filter((user) => users.includes(user))).toEqual(users.toSorted())
      expect(await store().online.total()).toBe(before + 5)
      expect((await store().online.counts())[bucket]).toBe(pages.length)
    })
  })
}
