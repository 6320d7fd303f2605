/** A user's connections as they see them: the list, its changes, closing one, and how many there may be. */
import { describe, expect, test } from 'vitest'
import { useWorld, worldFor } from '../support/harness.ts'

const world = await useWorld()
const { gw1, gw2 } = world

interface Sessions {
  sessions: { session: string; device: string; platform: string; node: string; since: number }[]
}

const listing = (count: number) => (frame: Sessions) => frame.sessions.length === count

describe('the session frame', () => {
  test('tells every connection of a user, on every gateway, whenever the list changes', async () => {
    const alice = world.user('alice')
    const before = Date.now()
    const laptop = await alice.connect(gw1, { device: 'laptop', platform: 'web' })
    await laptop.expects('session', listing(1))
    const phone = await alice.connect(gw2, { device: 'phone', platform: 'ios' })
    const [there, here] = [
      await laptop.expects('session', listing(2)),
      await phone.expects('session', listing(2)),
    ]
    const byDevice = (list: Sessions) => list.sessions.toSorted((a, b) => a.device.localeCompare(b.device))
    expect(byDevice(there)).toEqual([
      { session: laptop.session, device: 'laptop', platform: 'web', node: 'gw-1', since: expect.any(Number) },
      { session: phone.session, device: 'phone', platform: 'ios', node: 'gw-2', since: expect.any(Number) },
    ])
    expect(byDevice(here)).toEqual(byDevice(there))
    for (const { since } of here.sessions) expect(Math.abs(since - before)).toBeLessThan(10_000)
    await phone.close()
    const left = await laptop.expects('session', listing(1))
    expect(left.sessions[0]!.session).toBe(laptop.session)
  })

  test('shows tabs that share a device as two sessions', async () => {
    const alice = world.user('alice')
    const one = await alice.connect(gw1, { device: 'browser' })
    const two = await alice.connect(gw1, { device: 'browser' })
    const { sessions } = await one.expects('session', listing(2))
    expect(sessions.map(({ session }) => session).toSorted()).toEqual([one.session, two.session].toSorted())
    expect(sessions.map(({ device }) => device)).toEqual(['browser', 'browser'])
  })

  test('is not told to others, even to those who watch', async () => {
    const alice = world.user('alice')
    const bob = await world.user('bob').connect(gw1)
    await bob.gets('ok', { op: 'watch', users: [alice.id] })
    const { session } = await alice.connect(gw2)
    await bob.expects('presence')
    await bob.expectsNothing('session', ({ sessions }) => sessions.some((other) => other.session === session))
  })
})

describe('sessions by HTTP', () => {
  test('are the same list', async () => {
    const alice = world.user('alice')
    const laptop = await alice.connect(gw1, { device: 'laptop' })
    const phone = await alice.connect(gw2, { device: 'phone' })
    const { sessions } = await laptop.expects('session', listing(2))
    const answer = await alice.http(gw2).get<Sessions>('/sessions')
    expect(answer.status).toBe(200)
    const bySession = (list: Sessions['sessions']) =>
      list.toSorted((a, b) => a.session.localeCompare(b.session))
    expect(bySession(answer.body.sessions)).toEqual(bySession(sessions))
    expect(answer.body.sessions.map(({ session }) => session)).toContain(phone.session)
  })

  test('can be closed by their user, on another gateway too: 4003, and the others go on', async () => {
    const alice = world.user('alice')
    const laptop = await alice.connect(gw1)
    const phone = await alice.connect(gw2)
    const answer = await alice.http(gw1).delete(`/sessions/${phone.session}`)
    expect(answer.status).toBeLessThan(300)
    expect((await phone.closes()).code).toBe(4003)
    await laptop.expects('session', listing(2))
    await laptop.expects('session', listing(1))
    await laptop.ping()
  })

  test('of others cannot be closed', async () => {
    const bob = await world.user('bob').connect(gw2)
    const answer = await world.user('alice').http().delete(`/sessions/${bob.session}`)
    expect(answer.status).toBe(404)
    await bob.ping()
  })

  test('that do not exist are not_found', async () => {
    const answer = await world.user('alice').http().delete('/sessions/00000000-0000-4000-8000-000000000000')
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
  })

  test('are all closed with 4003 by the server API', async () => {
    const alice = world.user('alice')
    const bob = await world.user('bob').connect(gw1)
    const sessions = [await alice.connect(gw1), await alice.connect(gw1), await alice.connect(gw2)]
    const answer = await world.server.delete(`/users/${alice.id}/sessions`)
    expect(answer.status).toBeLessThan(300)
    const codes = await Promise.all(sessions.map(async (session) => (await session.closes()).code))
    expect(codes).toEqual([4003, 4003, 4003])
    await bob.ping()
  })
})

describe('too many sessions', () => {
  test('of one user: the 17th is closed with 4010, an error forbidden first, and the 16 go on', async () => {
    const alice = world.user('alice')
    const sessions = []
    for (let n = 0; n < 16; n++) sessions.push(await alice.connect(n % 2 === 0 ? gw1 : gw2))
    const line = await world.open(gw2)
    line.say({ op: 'hello', ref: 'h', token: alice.token(), device: 'one-too-many' })
    expect(await line.expects('error')).toMatchObject({ code: 'forbidden' })
    expect((await line.closes()).code).toBe(4010)
    for (const session of sessions) await session.ping()
    await sessions[0]!.close()
    await sessions[1]!.expects('session', listing(15))
    const again = await alice.connect(gw1)
    expect(again.id).toBe(alice.id)
  })

  test('stays exact when they race', async (context) => {
    const small = await worldFor(context, { env: { MAX_SESSIONS: '3' } })
    const alice = small.user('alice')
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const line = await small.open(n % 2 === 0 ? small.gw1 : small.gw2)
        line.say({ op: 'hello', ref: 'h', token: alice.token(), device: `device-${n}` })
        const reply = await line.reply('h').catch(() => undefined)
        return reply?.op === 'welcome' ? reply.limits.sessions : (await line.closes()).code
      }),
    )
    expect(outcomes.filter((outcome) => outcome === 3)).toHaveLength(3)
    expect(outcomes.filter((outcome) => outcome === 4010)).toHaveLength(7)
  })
})
