/** Accounts, refresh tokens, profiles and search, on a real Redis. */
import { randomUUID } from 'node:crypto'
import type { UserId } from '@starling/protocol/ids'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { Keys } from '../../src/store/keys.ts'
import { ProfileStore } from '../../src/store/profile-store.ts'
import { Scripts } from '../../src/store/script.ts'

const redis = new Redis(inject('redisUrl'))
const keys = new Keys(`t-${randomUUID()}:`, 16, 1)
const store = new ProfileStore({ redis, scripts: new Scripts(redis), keys })
afterAll(() => redis.quit())

const DAY_MS = 86_400_000
const refresh = (ttlMs = DAY_MS) => ({ digest: randomUUID(), ttlMs })
const fresh = (name = 'user') => `${name}-${randomUUID().slice(0, 8)}` as UserId
/** Whom a search finds. */
const search = async (start: string, limit: number) => (await store.search(start, limit)).map(({ id }) => id)
const keyOf = (user: UserId, what: string) => `${keys.owner(`user:${user}`)}${what}`

async function account(name?: string, user = fresh()) {
  const note = refresh()
  await store.register({ user, pass: 'hash', name, refresh: note })
  return { user, note }
}

describe('registering', () => {
  test('gives an id once, however many ask at once', async () => {
    const user = fresh()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        store.register({ user, pass: `hash ${n}`, name: `name ${n}`, refresh: refresh() }),
      ),
    )
    expect(answers.toSorted()).toEqual([...Array(7).fill('conflict'), 'ok'])
    const winner = answers.indexOf('ok')
    expect(await store.passOf(user)).toBe(`hash ${winner}`)
    expect(await store.read([user])).toEqual([{ id: user, name: `name ${winner}`, avatar: undefined }])
  })

  test('takes no id of one who has been here with a token from elsewhere', async () => {
    const [seen, described] = [fresh(), fresh()]
    await redis.hset(keyOf(seen, 'devices'), 'phone', '0-0 1')
    await store.update(described, { name: 'Mine' })
    for (const user of [seen, described]) {
      expect(await store.register({ user, pass: 'hash', name: undefined, refresh: refresh() })).toBe(
        'conflict',
      )
      expect(await store.passOf(user)).toBeUndefined()
    }
  })

  test.each(['__proto__', 'constructor', 'hasOwnProperty'])('%s is an id like any other', async (id) => {
    const user = id as UserId
    expect(await store.passOf(user)).toBeUndefined()
    await account('Odd', user)
    expect(await store.passOf(user)).toBe('hash')
    expect(await search(id.toUpperCase(), 5)).toContain(id)
  })

  test('a guest has no password and is forgotten with the refresh token', async () => {
    const user = fresh('guest')
    await store.register({ user, pass: undefined, name: 'Passer-by', refresh: refresh(60_000) })
    expect(await store.passOf(user)).toBeUndefined()
    const left = await redis.pttl(keyOf(user, 'profile'))
    expect(left).toBeGreaterThan(50_000)
    expect(left).toBeLessThanOrEqual(60_000)
    expect(await redis.pttl(keyOf((await account()).user, 'profile'))).toBe(-1)
  })
})

describe('a refresh token', () => {
  test('works once, and of many who show it at once, for one', async () => {
    const { user, note } = await account('Alice')
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => store.rotate(user, note.digest, refresh())),
    )
    expect(answers.filter(({ is }) => is === 'ok')).toEqual([{ is: 'ok', name: 'Alice', avatar: undefined }])
    expect(await store.rotate(user, note.digest, refresh())).toEqual({ is: 'unknown' })
  })

  test('gives one that works', async () => {
    const { user, note } = await account()
    const next = refresh()
    await store.rotate(user, note.digest, next)
    expect(await store.rotate(user, next.digest, refresh())).toMatchObject({ is: 'ok' })
  })

  test('of another user, or one that has ended, is unknown', async () => {
    const [alice, bob] = [await account(), await account()]
    expect(await store.rotate(bob.user, alice.note.digest, refresh())).toEqual({ is: 'unknown' })
    await redis.hset(keyOf(alice.user, 'refresh'), alice.note.digest, Date.now() - 1)
    expect(await store.rotate(alice.user, alice.note.digest, refresh())).toEqual({ is: 'unknown' })
  })

  test('of each login stands beside the others; the ended and the oldest above 100 go', async () => {
    const { user, note } = await account()
    await redis.hset(keyOf(user, 'refresh'), 'ended', Date.now() - 1)
    const second = refresh(2 * DAY_MS)
    await store.logIn(user, second)
    expect(await redis.hlen(keyOf(user, 'refresh'))).toBe(2)
    for (let n = 0; n < 100; n++) await store.logIn(user, refresh(3 * DAY_MS))
    expect(await redis.hlen(keyOf(user, 'refresh'))).toBe(100)
    expect(await store.rotate(user, note.digest, refresh())).toEqual({ is: 'unknown' })
    expect(await store.rotate(user, second.digest, refresh())).toEqual({ is: 'unknown' })
  })
})

describe('a profile', () => {
  test('shows the name set here before the name of the token', async () => {
    const user = fresh()
    await redis.hset(keyOf(user, 'profile'), 'token_name', 'Token')
    expect(await store.read([user])).toEqual([{ id: user, name: 'Token', avatar: undefined }])
    expect(await store.update(user, { name: 'Own' })).toMatchObject({ name: 'Own' })
    expect(await store.update(user, { name: null })).toMatchObject({ name: 'Token' })
  })

  test('changes field by field', async () => {
    const { user } = await account('Alice')
    await store.update(user, { avatar: 'a.png' })
    expect(await store.read([user])).toEqual([{ id: user, name: 'Alice', avatar: 'a.png' }])
    await store.update(user, { name: 'Alicia' })
    await store.update(user, {})
    expect(await store.read([user])).toEqual([{ id: user, name: 'Alicia', avatar: 'a.png' }])
    expect(await store.update(user, { avatar: null })).toEqual({
      id: user,
      name: 'Alicia',
      avatar: undefined,
    })
  })

  test('is left out where there is none', async () => {
    const { user } = await account()
    expect(await store.read([fresh(), user, fresh()])).toEqual([
      { id: user, name: undefined, avatar: undefined },
    ])
    const nobody = fresh()
    await store.update(nobody, { name: null })
    expect(await store.read([nobody])).toEqual([])
    expect(await search(nobody, 5)).toEqual([])
  })
})

describe('search', () => {
  test('finds by the start of id and name, in any case and spelling, nobody twice', async () => {
    const mark = randomUUID().slice(0, 8)
    const { user } = await account(`Ünal ${mark}`, `Unal.${mark}` as UserId)
    for (const start of [`unal.${mark}`, `UNAL.${mark}`, `ÜNAL ${mark}`, `u\u0308nal ${mark}`]) {
      expect(await search(start, 5)).toEqual([user])
    }
    expect(await search(`nal ${mark}`, 5)).toEqual([])
    await account(`same-${mark}-as-id`, `same-${mark}` as UserId)
    expect(await search(`same-${mark}`, 5)).toEqual([`same-${mark}`])
  })

  test('forgets an old name and keeps the id', async () => {
    const mark = randomUUID().slice(0, 8)
    const { user } = await account(`Old ${mark}`)
    await store.update(user, { name: `New ${mark}` })
    expect(await search(`old ${mark}`, 5)).toEqual([])
    expect(await search(`new ${mark}`, 5)).toEqual([user])
    expect(await search(user, 5)).toEqual([user])
  })

  test('keeps an id findable whose name was the same word', async () => {
    const user = fresh()
    await store.update(user, { name: user })
    await store.update(user, { name: 'other' })
    expect(await search(user, 5)).toEqual([user])
  })

  test('stops at the limit', async () => {
    const mark = randomUUID().slice(0, 8)
    const users = Array.from({ length: 30 }, (_, n) => `${mark}-${String(n).padStart(2, '0')}` as UserId)
    for (const user of users) await account('Same name', user)
    expect(await search(mark, 20)).toEqual(users.slice(0, 20))
    expect(await search('same name', 20)).toHaveLength(20)
  })

  test('finds nobody by what holds no more, and clears it away', async () => {
    const mark = randomUUID().slice(0, 8)
    const { user } = await account(`Alias ${mark}`)
    await redis.del(keyOf(user, 'profile'))
    const words = `${keys.owner('people:61')}words`
    const hints = () => redis.zrange(words, `[alias ${mark}`, `[alias ${mark}~`, 'BYLEX')
    expect(await hints()).toHaveLength(1)
    expect(await search(`alias ${mark}`, 5)).toEqual([])
    expect(await hints()).toEqual([])
  })

  test('finds one again who logs in, where registering broke off before it had told the index', async () => {
    const mark = randomUUID().slice(0, 8)
    const { user } = await account(`Broken ${mark}`)
    await redis.del(`${keys.owner('people:62')}words`)
    expect(await search(`broken ${mark}`, 5)).toEqual([])
    expect(await store.logIn(user, refresh())).toEqual({
      id: user,
      name: `Broken ${mark}`,
      avatar: undefined,
    })
    expect(await search(`broken ${mark}`, 5)).toEqual([user])
  })

  test('finds one by the name of their token after they have changed anything here', async () => {
    const mark = randomUUID().slice(0, 8)
    const user = fresh()
    await redis.hset(keyOf(user, 'profile'), 'token_name', `Token ${mark}`)
    await store.update(user, { avatar: 'a.png' })
    expect(await search(`token ${mark}`, 5)).toEqual([user])
  })
})
