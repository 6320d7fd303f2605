/** Leases: kept, lost, lapsed, claimed by one. Lapses by moving a lease's end in Redis, not by waiting. */
import type { NodeId } from '@starling/protocol/ids'
import { beforeEach, describe, expect, it } from 'vitest'
import { Keys } from '../../../src/store/keys.ts'
import { openKeys } from '../../../src/store/node-store.ts'
import { type StoreWorld, someNode, someone } from '../../support/server-store.ts'

export function nodesSuite(store: () => StoreWorld): void {
  const leases = () => store().keys.cluster('nodes')
  const about = (node: NodeId) => ({ node, connections: 1, since: 2 })
  const take = (node: NodeId) => store().nodes.renew(node, 15_000, true, about(node))
  const keep = (node: NodeId) => store().nodes.renew(node, 15_000, false, about(node))
  const lapse = (node: NodeId) => store().redis.zadd(leases(), Date.now() - 60_000, node)

  describe('leases', () => {
    beforeEach(async () => {
      for (const name of ['nodes', 'reaping', 'info'] as const)
        await store().redis.del(store().keys.cluster(name))
    })

    it('are taken for their time by Redis’ clock, and kept', async () => {
      const node = someNode()
      expect(await take(node)).toEqual({ is: 'ok', lapsed: [] })
      const [seconds] = (await store().redis.time()) as [number, number]
      const ends = Number(await store().redis.zscore(leases(), node))
      expect(ends - seconds * 1000).toBeGreaterThan(10_000)
      expect(ends - seconds * 1000).toBeLessThanOrEqual(16_000)
      expect(await keep(node)).toEqual({ is: 'ok', lapsed: [] })
      expect(await store().nodes.all()).toEqual([about(node)])
    })

    it('that are gone are lost, and keeping one does not take it back', async () => {
      const node = someNode()
      await take(node)
      await store().redis.zrem(leases(), node)
      expect(await keep(node)).toEqual({ is: 'lost' })
      expect(await keep(node)).toEqual({ is: 'lost' })
    })

    it('that have lapsed are seen by all, and can still be renewed until somebody claims them', async () => {
      const [dead, alive] = [someNode(), someNode()]
      await take(dead)
      await take(alive)
      await lapse(dead)
      expect(await keep(alive)).toEqual({ is: 'ok', lapsed: [dead] })
      expect(await keep(dead)).toMatchObject({ is: 'ok' })
      expect(await store().nodes.claim(dead)).toBe(false)
    })

    it('are claimed by one of many, and lost with it', async () => {
      const [dead, alive] = [someNode(), someNode()]
      await take(dead)
      await take(alive)
      await lapse(dead)
      const claims = await Promise.all(Array.from({ length: 10 }, () => store().nodes.claim(dead)))
      expect(claims.filter((ours) => ours)).toHaveLength(1)
      expect(await keep(dead)).toEqual({ is: 'lost' })
      expect(await store().nodes.all()).toEqual([about(alive)])
      expect(await keep(alive)).toEqual({ is: 'ok', lapsed: [] })
    })

    it('of the living, and of nobody, can’t be claimed', async () => {
      const node = someNode()
      await take(node)
      expect(await store().nodes.claim(node)).toBe(false)
      expect(await store().nodes.claim(someNode())).toBe(false)
    })

    it('are taken over from a reaper that did not finish, and forgotten when one has', async () => {
      const [dead, alive] = [someNode(), someNode()]
      await take(dead)
      await take(alive)
      await lapse(dead)
      expect(await store().nodes.claim(dead)).toBe(true)
      await store().redis.zadd(store().keys.cluster('reaping'), Date.now() - 1, dead)
      expect(await keep(alive)).toEqual({ is: 'ok', lapsed: [dead] })
      expect(await store().nodes.claim(dead)).toBe(true)
      await store().nodes.reaped(dead)
      expect(await keep(alive)).toEqual({ is: 'ok', lapsed: [] })
      expect(await store().nodes.claim(dead)).toBe(false)
    })

    it('that were lost without a reaper are left to one', async () => {
      const [lost, alive] = [someNode(), someNode()]
      await take(alive)
      await store().nodes.abandon(lost)
      expect(await keep(alive)).toEqual({ is: 'ok', lapsed: [lost] })
      expect(await store().nodes.claim(lost)).toBe(true)
      await store().nodes.abandon(lost)
      expect(await keep(alive)).toEqual({ is: 'ok', lapsed: [] })
    })

    it('are given up by who leaves in good order', async () => {
      const node = someNode()
      await take(node)
      await store().nodes.giveUp(node)
      expect(await store().nodes.all()).toEqual([])
      expect(await keep(node)).toEqual({ is: 'lost' })
    })
  })

  describe('the number of buckets', () => {
    it('is fixed by the first boot, whatever later ones would choose', async () => {
      const prefix = `${someone('p')}:`
      expect((await openKeys(store().redis, prefix)).buckets).toBe(1024)
      await store().redis.set(new Keys(prefix, 1, 1).cluster('buckets'), 256)
      expect((await openKeys(store().redis, prefix)).buckets).toBe(256)
    })
  })
}
