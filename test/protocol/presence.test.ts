/** Who is online: watching some, watching everybody, asking by HTTP, and how soon the news is there. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { useWorld, worldFor } from '../support/harness.ts'
import type { WireClient } from '../support/wire-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

/** Presence frames are merged: one that names this user is what a test waits for. */
const on = (id: string) => (frame: { on: string[] }) => frame.on.includes(id)
const off = (id: string) => (frame: { off: string[] }) => frame.off.includes(id)

describe.concurrent('watch', () => {
  test('answers who is on and who is off, each once', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const away = world.user('away')
    const { presence } = (await alice.gets('ok', {
      op: 'watch',
      users: [bob.id, away.id, alice.id],
    })) as unknown as {
      presence: { on: string[]; off: string[] }
    }
    expect(presence.on.toSorted()).toEqual([alice.id, bob.id].toSorted())
    expect(presence.off).toEqual([away.id])
  })

  test('[P5] tells when a watched user comes, and within 5 s when the last connection is gone', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    await alice.gets('ok', { op: 'watch', users: [bob.id] })
    const session = await bob.connect(gw2)
    await alice.expects('presence', on(bob.id))
    await session.close()
    await alice.expects('presence', off(bob.id), 5_000)
  })

  test('[P5] holds for a line that drops without a word, too', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    await alice.gets('ok', { op: 'watch', users: [bob.id] })
    bob.drop()
    await alice.expects('presence', off(bob.id), 5_000)
  })

  test('[P5] one who is back within 2 s was never off, on whichever gateway', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const page = await bob.connect(gw1)
    await alice.gets('ok', { op: 'watch', users: [bob.id] })
    await page.close()
    await sleep(1_000)
    await bob.connect(gw2)
    await sleep(5_000)
    await alice.expectsNothing('presence', (frame) => [...frame.on, ...frame.off].includes(bob.id))
  })

  test('[P5] one of several connections that ends takes nobody offline', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const phone = await bob.connect(gw1)
    await bob.connect(gw2)
    await alice.gets('ok', { op: 'watch', users: [bob.id] })
    await phone.close()
    await sleep(5_000)
    await alice.expectsNothing('presence', (frame) => [...frame.on, ...frame.off].includes(bob.id))
  })

  test('tells nothing of others, and nothing of whom one no longer watches', async () => {
    const alice = await world.user('alice').connect(gw1)
    const [bob, carol, dave] = [world.user('bob'), world.user('carol'), world.user('dave')]
    await alice.gets('ok', { op: 'watch', users: [bob.id, carol.id] })
    await alice.gets('ok', { op: 'unwatch', users: [bob.id] })
    await bob.connect(gw2)
    await dave.connect(gw2)
    await carol.connect(gw2)
    await alice.expects('presence', on(carol.id))
    await alice.expectsNothing('presence', (frame) => frame.on.includes(bob.id) || frame.on.includes(dave.id))
  })

  test('ends with the connection', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const before = await alice.connect(gw1, { device: 'laptop' })
    await before.gets('ok', { op: 'watch', users: [bob.id] })
    await before.close()
    const after = await alice.connect(gw1, { device: 'laptop' })
    const carol = world.user('carol')
    await after.gets('ok', { op: 'watch', users: [carol.id] })
    await bob.connect(gw2)
    await carol.connect(gw2)
    await after.expects('presence', on(carol.id))
    await after.expectsNothing('presence', on(bob.id))
  })

  test('takes 200 users a frame and 2,000 in all; more is a bad_request that applies nothing', async () => {
    const alice = await world.user('alice').connect(gw1)
    const crowd = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => `crowd-${from + n}`)
    expect((await alice.refused({ op: 'watch', users: crowd(0, 201) })).code).toBe('bad_request')
    for (let n = 0; n < 1_800; n += 200) await alice.gets('ok', { op: 'watch', users: crowd(n, 200) })
    await alice.gets('ok', { op: 'watch', users: crowd(1_800, 199) })
    const [bob, carol] = [world.user('bob'), world.user('carol')]
    expect((await alice.refused({ op: 'watch', users: [bob.id, carol.id] })).code).toBe('bad_request')
    await bob.connect(gw2)
    await alice.gets('ok', { op: 'watch', users: [carol.id] })
    await carol.connect(gw2)
    await alice.expects('presence', on(carol.id))
    await alice.expectsNothing('presence', on(bob.id))
  })

  test('lets go of places with unwatch', async () => {
    const alice = await world.user('alice').connect(gw1)
    const crowd = (from: number) => Array.from({ length: 200 }, (_, n) => `crowd-${from + n}`)
    for (let n = 0; n < 2_000; n += 200) await alice.gets('ok', { op: 'watch', users: crowd(n) })
    await alice.refused({ op: 'watch', users: ['one-more'] })
    await alice.gets('ok', { op: 'unwatch', users: crowd(0) })
    await alice.gets('ok', { op: 'watch', users: ['one-more'] })
  })

  test.each([['not a list'], [['a b']], [[7]], [undefined], [['']]])('%j is a bad_request', async (users) => {
    const alice = await world.user('alice').connect(gw1)
    const error = await alice.refused({ op: 'watch', users })
    expect(error).toMatchObject({ code: 'bad_request', field: expect.stringContaining('users') })
  })
})

describe.concurrent('watching everybody', () => {
  test('answers with the total, and tells of all who come and go', async () => {
    const alice = await world.user('alice').connect(gw1)
    const ok = await alice.gets('ok', { op: 'watch', users: ['*'] })
    expect(ok).toMatchObject({ total: expect.any(Number) })
    const bob = world.user('bob')
    const session = await bob.connect(gw2)
    const came = await alice.expects('presence', on(bob.id))
    expect(came.total).toBeGreaterThanOrEqual(2)
    await session.close()
    const went = await alice.expects('presence', off(bob.id), 5_000)
    expect(went.total).toBeGreaterThanOrEqual(1)
  })

  test('ends with unwatch of everybody', async () => {
    const alice = await world.user('alice').connect(gw1)
    await alice.gets('ok', { op: 'watch', users: ['*'] })
    await alice.gets('ok', { op: 'unwatch', users: ['*'] })
    const [bob, carol] = [world.user('bob'), world.user('carol')]
    await alice.gets('ok', { op: 'watch', users: [carol.id] })
    await bob.connect(gw2)
    await carol.connect(gw2)
    await alice.expects('presence', on(carol.id))
    await alice.expectsNothing('presence', on(bob.id))
  })

  test('is the total alone while more than WATCH_ALL_MAX are online', async (context) => {
    const small = await worldFor(context, { env: { WATCH_ALL_MAX: '3' } })
    const alice = await small.user('alice').connect(small.gw1)
    for (const name of ['b', 'c', 'd', 'e']) await small.user(name).connect(small.gw2)
    await alice.gets('ok', { op: 'watch', users: ['*'] })
    const since = alice.frames.length
    await small.user('f').connect(small.gw2)
    await alice.expects('presence', { total: 6 })
    const frames = alice.frames.slice(since).filter((frame) => frame.op === 'presence')
    for (const frame of frames) expect([...(frame.on ?? []), ...(frame.off ?? [])]).toEqual([])
  })
})

describe('presence by HTTP', () => {
  test('says of up to 50 users who is on and who is off', async () => {
    const alice = world.user('alice')
    const bob = await world.user('bob').connect(gw2)
    const http = alice.http(gw1)
    expect(await http.get(`/presence?users=${bob.id},${alice.id}`)).toMatchObject({
      status: 200,
      body: { presence: { on: [bob.id], off: [alice.id] } },
    })
    const crowd = (count: number) => Array.from({ length: count }, (_, n) => `crowd-${n}`).join(',')
    expect((await http.get(`/presence?users=${crowd(50)}`)).status).toBe(200)
    expect(await http.get(`/presence?users=${crowd(51)}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'bad_request' } },
    })
    expect((await http.get('/presence?users=a%20b')).status).toBe(400)
  })

  test('lists all who are online in pages, nobody twice', async (context) => {
    const quiet = await worldFor(context)
    const everybody: WireClient[] = []
    for (let n = 0; n < 12; n++) {
      const node = n % 2 === 0 ? quiet.gw1 : quiet.gw2
      const user = quiet.user('user')
      everybody.push(await user.connect(node, { token: user.token({ name: `User ${n}` }) }))
    }
    // A second session of somebody doesn't make them two.
    await quiet.userCalled(everybody[0]!.id).connect(quiet.gw2)
    interface Page {
      users: { id: string; name: string }[]
      total: number
      cursor?: string
    }
    const listed: { id: string; name: string }[] = []
    const http = quiet.user('reader').http(quiet.gw2)
    let cursor: string | undefined
    do {
      const page: { status: number; body: Page } = await http.get<Page>(
        `/presence/online?limit=5${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      expect(page.status).toBe(200)
      expect(page.body.total).toBe(12)
      listed.push(...page.body.users)
      cursor = page.body.cursor
    } while (cursor !== undefined)
    expect(listed.map((user) => user.id).toSorted()).toEqual(
      everybody.map((session) => session.id).toSorted(),
    )
    expect(listed.find((user) => user.id === everybody[3]!.id)).toEqual({
      id: everybody[3]!.id,
      name: 'User 3',
    })
  })
})
