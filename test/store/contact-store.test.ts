/** Follows and blocks on a real Redis: the lists, and the truth by which a send is judged. */
import { randomUUID } from 'node:crypto'
import { dmOf, type Ref, type UserId } from '@starling/protocol/ids'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { Batches } from '../../src/store/batches.ts'
import { ContactStore } from '../../src/store/contact-store.ts'
import { DmStore } from '../../src/store/dm-store.ts'
import { createDurability } from '../../src/store/durability.ts'
import { Keys } from '../../src/store/keys.ts'

const redis = new Redis(inject('redisUrl'))
const keys = new Keys(`t-${randomUUID()}:`, 16, 1)
const contacts = new ContactStore({ redis, keys })
const dms = new DmStore({
  redis,
  batches: new Batches({ redis, keys, durability: createDurability('async', redis) }),
  keys,
  limits: { log: 100, inbox: 100, ttlMs: 86_400_000, strangerLimit: 1 },
})
afterAll(() => redis.quit())

const fresh = () => `user-${randomUUID().slice(0, 8)}` as UserId

/** What becomes of a message. */
async function send(from: UserId, to: UserId) {
  const ref = randomUUID() as Ref
  const draft = { conv: dmOf(from, to), from, ref, retry: false, needle: `"ref":"${ref}"`, tail: '"body":{}' }
  return (await dms.send(draft, to, { guard: 'check', echo: false })).is
}

test('a block refuses the other and not the one who blocks, until it is lifted', async () => {
  const [alice, bob] = [fresh(), fresh()]
  await contacts.tie(alice, 'block', bob)
  expect(await send(bob, alice)).toBe('blocked')
  expect(await send(alice, bob)).toBe('ok')
  await contacts.untie(alice, 'block', bob)
  expect(await send(bob, alice)).toBe('ok')
})

test('following someone lets them write without limit, and them alone', async () => {
  const [alice, bob] = [fresh(), fresh()]
  expect([await send(bob, alice), await send(bob, alice)]).toEqual(['ok', 'stranger_limit'])
  await contacts.tie(bob, 'follow', alice)
  expect(await send(bob, alice)).toBe('stranger_limit')
  await contacts.tie(alice, 'follow', bob)
  expect(await send(bob, alice)).toBe('ok')
  await contacts.untie(alice, 'follow', bob)
  expect(await send(bob, alice)).toBe('stranger_limit')
})

test('lists are by id, apart from each other, and the same twice is once', async () => {
  const alice = fresh()
  for (const other of ['carol', 'bob', '__proto__', 'bob'] as UserId[])
    await contacts.tie(alice, 'follow', other)
  await contacts.tie(alice, 'block', 'mallory' as UserId)
  expect(await contacts.list(alice, 'follow')).toEqual(['__proto__', 'bob', 'carol'])
  expect(await contacts.list(alice, 'block')).toEqual(['mallory'])
  await contacts.untie(alice, 'follow', 'bob' as UserId)
  await contacts.untie(alice, 'follow', 'bob' as UserId)
  expect(await contacts.list(alice, 'follow')).toEqual(['__proto__', 'carol'])
  expect(await contacts.list(fresh(), 'follow')).toEqual([])
})
