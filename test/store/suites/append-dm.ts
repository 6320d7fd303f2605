/** Storing between two users: once per ref, blocks, the stranger limit. */
import { dmOf, msOf, seqOf } from '@starling/protocol/ids'
import { REF_TTL_MS, STRANGER_WINDOW_MS } from '@starling/protocol/limits'
import { describe, expect, it } from 'vitest'
import { dmDraft, ok, type StoreWorld, someone } from '../../support/server-store.ts'

const CHECKED = { guard: 'check', echo: false } as const
const FREE = { guard: 'free', echo: false } as const

export function appendDmSuite(store: () => StoreWorld): void {
  const send = (from: ReturnType<typeof someone>, to: ReturnType<typeof someone>, more = {}) =>
    store().dms.send(dmDraft(from, to, more), to, CHECKED)
  const pair = () => [someone('a'), someone('b')] as const
  const stateOf = (a: string, b: string) => store().key(dmOf(a, b), 'state')
  const lengthOf = (a: string, b: string) => store().redis.xlen(store().key(dmOf(a, b), 'log'))

  describe('append-dm', () => {
    it('[P2] stores a ref once, as it came first, and answers with the first id', async () => {
      const [a, b] = pair()
      const first = await send(a, b, { ref: 'r', text: 'one' })
      const second = await send(a, b, { ref: 'r', text: 'two' })
      expect(second).toMatchObject({ is: 'dup', id: ok(first).id })
      const log = await store().redis.xrange(store().key(dmOf(a, b), 'log'), '-', '+')
      expect(log).toEqual([[ok(first).id, ['m', expect.stringContaining('"one"')]]])
    })

    it('[P2] stores a ref once however many sends of it come at the same time', async () => {
      const [a, b] = pair()
      const sends = await Promise.all(Array.from({ length: 50 }, () => send(a, b, { ref: 'r' })))
      expect(sends.filter(({ is }) => is === 'ok')).toHaveLength(1)
      expect(sends.filter(({ is }) => is === 'dup')).toHaveLength(49)
      expect(await lengthOf(a, b)).toBe(1)
    })

    it('[P2] keeps refs of the two users and of other conversations apart', async () => {
      const [a, b] = pair()
      const c = someone('c')
      const sends = [
        await send(a, b, { ref: 'r' }),
        await send(b, a, { ref: 'r' }),
        await send(a, c, { ref: 'r' }),
      ]
      expect(sends.map(({ is }) => is)).toEqual(['ok', 'ok', 'ok'])
    })

    it('[P2] finds a ref in the log when it is remembered no more, if marked retry', async () => {
      const [a, b] = pair()
      const ref = 'quo"te \\ %d {*}'
      const first = await send(a, b, { ref })
      await send(b, a)
      for (let i = 0; i < 120; i++) await send(a, b, { text: `more ${i}` })
      await store().forgetRefs(dmOf(a, b))
      expect(await send(a, b, { ref, retry: true })).toMatchObject({ is: 'dup', id: ok(first).id })
      expect(await send(a, b, { ref: `${ref}!`, retry: true })).toMatchObject({ is: 'ok' })
    })

    it('[P2] remembers a ref for ten minutes at least, and no longer than twenty', async () => {
      const [a, b] = pair()
      await send(a, b, { ref: 'r' })
      const [refs = ''] = await store().refsOf(dmOf(a, b))
      const left = await store().redis.pttl(refs)
      expect(left).toBeGreaterThan(REF_TTL_MS)
      expect(left).toBeLessThanOrEqual(2 * REF_TTL_MS)
    })

    it('lets the refs of conversations in different buckets end at different times', async () => {
      const ends = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const [a, b] = pair()
          await send(a, b, { ref: 'r' })
          const [refs = ''] = await store().refsOf(dmOf(a, b))
          return store().redis.pexpiretime(refs)
        }),
      )
      expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(REF_TTL_MS / 4)
    })

    it('[P2] knows a ref of the stretch of time before, and forgets one of the stretch before that', async () => {
      const [a, b] = pair()
      const first = await send(a, b, { ref: 'old' })
      await store().age(dmOf(a, b), 1)
      expect(await send(a, b, { ref: 'old' })).toMatchObject({ is: 'dup', id: ok(first).id })
      expect(await send(a, b, { ref: 'new' })).toMatchObject({ is: 'ok' })
      // The conversation goes on in this stretch, and still knows both.
      expect(await send(a, b, { ref: 'old' })).toMatchObject({ is: 'dup', id: ok(first).id })
      expect(await send(a, b, { ref: 'new' })).toMatchObject({ is: 'dup' })
      const c = someone('c')
      await send(a, c, { ref: 'old' })
      await store().age(dmOf(a, c), 2)
      expect(await send(a, c, { ref: 'old' })).toMatchObject({ is: 'ok' })
    })

    it('[P2] knows a ref of the stretch before ahead of a refusal, though this one has no message yet', async () => {
      const [a, b] = pair()
      const first = await send(a, b, { ref: 'old' })
      await store().age(dmOf(a, b), 1)
      await store().redis.hset(stateOf(a, b), `block:${b}`, '1')
      expect(await send(a, b, { ref: 'new' })).toEqual({ is: 'blocked' })
      expect(await send(a, b, { ref: 'old' })).toMatchObject({ is: 'dup', id: ok(first).id })
    })

    it('[P2] answers a dup whose content is gone with its id', async () => {
      const [a, b] = pair()
      const first = await send(a, b, { ref: 'r' })
      await store().redis.xdel(store().key(dmOf(a, b), 'log'), 'id' in first ? first.id : '')
      expect(await send(a, b, { ref: 'r' })).toMatchObject({ is: 'dup', id: ok(first).id })
    })

    it('gives dense ids under concurrency from both sides', async () => {
      const [a, b] = pair()
      await send(b, a) // so that a is no stranger to b
      await send(a, b)
      const sends = await Promise.all(
        Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? send(a, b) : send(b, a))),
      )
      const ids = sends.map((sent) => ('id' in sent ? sent.id : sent.is))
      expect(ids.map(seqOf).toSorted((x, y) => x - y)).toEqual(Array.from({ length: 60 }, (_, i) => i + 3))
    })

    it('[P3] stores sends of one line in the order sent', async () => {
      const [a, b] = pair()
      await send(b, a)
      const sends = await Promise.all(Array.from({ length: 20 }, (_, i) => send(a, b, { text: `${i}` })))
      const seqs = sends.map((sent) => ('id' in sent ? seqOf(sent.id) : 0))
      expect(seqs).toEqual(seqs.toSorted((x, y) => x - y))
    })

    it('never lets the ms go back, whatever the clock does', async () => {
      const [a, b] = pair()
      await send(a, b)
      const future = Date.now() + 3_600_000
      await store().setHead(dmOf(a, b), `${future}-7`)
      const after = await send(b, a)
      expect(after).toMatchObject({ is: 'ok', id: `${future}-8` })
      expect(await send(b, a)).toMatchObject({ is: 'ok', id: `${future}-9` })
    })

    it('takes Redis’ time for a first id', async () => {
      const [a, b] = pair()
      const sent = await send(a, b)
      expect(sent).toMatchObject({ is: 'ok', id: expect.stringMatching(/^\d{13}-1$/) })
      expect(Math.abs(msOf('id' in sent ? sent.id : '') - Date.now())).toBeLessThan(60_000)
    })

    it('notes the conversation in both lists at the first, and after a long sleep', async () => {
      const [a, b] = pair()
      const noted = (user: string) => store().redis.zscore(store().key(`user:${user}`, 'convs'), dmOf(a, b))
      const at = async (sent: ReturnType<typeof send>) => String(msOf(ok(await sent).id))
      const first = await at(send(a, b))
      expect(await Promise.all([noted(a), noted(b)])).toEqual([first, first])
      const sleep = async (minutes: number) => {
        await store().redis.del(store().key(dmOf(a, b), 'log'))
        await store().setHead(dmOf(a, b), `${Date.now() - minutes * 60_000}-50`)
      }
      await sleep(11)
      const woken = await at(send(b, a))
      expect(await Promise.all([noted(a), noted(b)])).toEqual([woken, woken])
      await sleep(9)
      await at(send(b, a))
      expect(await noted(b)).toBe(woken)
    })

    it('moves the sender’s own read position along', async () => {
      const [a, b] = pair()
      const sent = await send(a, b)
      expect(await store().redis.hget(stateOf(a, b), `read:${a}`)).toBe('id' in sent ? sent.id : '')
      expect(await store().redis.hget(stateOf(a, b), `read:${b}`)).toBeNull()
    })

    it('refuses one who is blocked, and only them; a dup before the block is still a dup', async () => {
      const [a, b] = pair()
      const first = await send(a, b, { ref: 'r' })
      await store().redis.hset(stateOf(a, b), `block:${b}`, '1')
      expect(await send(a, b)).toEqual({ is: 'blocked' })
      expect(await send(b, a)).toMatchObject({ is: 'ok' })
      expect(await send(a, b, { ref: 'r' })).toMatchObject({ is: 'dup', id: ok(first).id })
      expect(await store().convs.blocks(dmOf(a, b), b)).toBe(true)
      expect(await store().convs.blocks(dmOf(a, b), a)).toBe(false)
    })

    it('lets a refused ref be used again', async () => {
      const [a, b] = pair()
      await store().redis.hset(stateOf(a, b), `block:${b}`, '1')
      expect(await send(a, b, { ref: 'r' })).toEqual({ is: 'blocked' })
      await store().redis.hdel(stateOf(a, b), `block:${b}`)
      expect(await send(a, b, { ref: 'r' })).toMatchObject({ is: 'ok', id: expect.stringMatching(/-1$/) })
    })

    it('lets what is free pass a block', async () => {
      const [a, b] = pair()
      await store().redis.hset(stateOf(a, b), `block:${b}`, '1')
      expect(await store().dms.send(dmDraft(a, b), b, FREE)).toMatchObject({ is: 'ok' })
    })
  })

  describe('the stranger limit', () => {
    const outcomes = async (
      from: ReturnType<typeof someone>,
      to: ReturnType<typeof someone>,
      times: number,
    ) => {
      const sends = await Promise.all(Array.from({ length: times }, () => send(from, to)))
      return sends.map(({ is }) => is)
    }
    const count = (list: string[], is: string) => list.filter((one) => one === is).length

    it('is exact under concurrency: of 50 sends at once 3 pass', async () => {
      const [a, b] = pair()
      const list = await outcomes(a, b, 50)
      expect([count(list, 'ok'), count(list, 'stranger_limit')]).toEqual([3, 47])
      expect(await lengthOf(a, b)).toBe(3)
    })

    it('does not count duplicates and refused sends', async () => {
      const [a, b] = pair()
      for (let i = 0; i < 5; i++) await send(a, b, { ref: 'same' })
      await store().redis.hset(stateOf(a, b), `block:${b}`, '1')
      await outcomes(a, b, 5)
      await store().redis.hdel(stateOf(a, b), `block:${b}`)
      expect(count(await outcomes(a, b, 5), 'ok')).toBe(2)
    })

    it('ends with an answer, also one that came before', async () => {
      const [a, b] = pair()
      await outcomes(a, b, 4)
      expect(await send(b, a)).toMatchObject({ is: 'ok' })
      expect(count(await outcomes(a, b, 10), 'ok')).toBe(10)
      expect(count(await outcomes(b, a, 10), 'ok')).toBe(10)
    })

    it('does not bind one whom the other follows, and binds again where they don’t any more', async () => {
      const [a, b] = pair()
      await store().redis.hset(stateOf(a, b), `follow:${b}`, '1')
      expect(count(await outcomes(a, b, 10), 'ok')).toBe(10)
      await store().redis.hdel(stateOf(a, b), `follow:${b}`, `free:${a}`) // as the contacts do
      expect(count(await outcomes(a, b, 10), 'ok')).toBe(3)
    })

    it('binds one who follows the other', async () => {
      const [a, b] = pair()
      await store().redis.hset(stateOf(a, b), `follow:${a}`, '1')
      expect(count(await outcomes(a, b, 10), 'ok')).toBe(3)
    })

    it('starts anew when its window has ended', async () => {
      const [a, b] = pair()
      await outcomes(a, b, 4)
      const since = Number(await store().redis.hget(stateOf(a, b), `since:${a}`))
      await store().redis.hset(stateOf(a, b), `since:${a}`, since - STRANGER_WINDOW_MS + 60_000)
      expect(count(await outcomes(a, b, 4), 'ok')).toBe(0)
      await store().redis.hset(stateOf(a, b), `since:${a}`, since - STRANGER_WINDOW_MS)
      expect(count(await outcomes(a, b, 5), 'ok')).toBe(3)
    })

    it('is no limit at 0', async () => {
      const [a, b] = pair()
      const dms = store().dmsWith({ strangerLimit: 0 })
      const sends = await Promise.all(Array.from({ length: 10 }, () => dms.send(dmDraft(a, b), b, CHECKED)))
      expect(sends.every(({ is }) => is === 'ok')).toBe(true)
    })

    it('counts what is free neither as a stranger’s message nor as an answer', async () => {
      const [a, b] = pair()
      await store().dms.send(dmDraft(b, a), a, FREE)
      await store().dms.send(dmDraft(a, b), b, FREE)
      expect(count(await outcomes(a, b, 5), 'ok')).toBe(3)
    })

    it('is free with oneself, under an id that objects stumble over too', async () => {
      const me = '__proto__' as ReturnType<typeof someone>
      const sends = await Promise.all(
        Array.from({ length: 5 }, () => store().dms.send(dmDraft(me, me), me, FREE)),
      )
      expect(sends.every(({ is }) => is === 'ok')).toBe(true)
    })
  })
}
