/** Groups as resources: making, reading, the list of members, and who may change it. */
import { describe, expect, test } from 'vitest'
import { type GroupResource, seqOf, useWorld } from '../support/harness.ts'

const world = await useWorld()
const { gw1, gw2 } = world

interface Members {
  members: { user: string; role: string; joined: unknown; mutedUntil?: number }[]
  total: number
  cursor?: string
}

const failure = (status: number, code: string) => ({
  status,
  body: { error: { code, message: expect.any(String) } },
})

describe('making a group', () => {
  test('answers 201 with the whole resource', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const before = Date.now()
    const fields = { name: 'Tea party', intro: 'All mad here', icon: 'https://a.example/t.png' }
    const { created } = await alice.createGroup({ ...fields, members: [bob], join: 'open', history: 'all' })
    expect(created).toMatchObject({
      status: 201,
      body: {
        ...fields,
        id: expect.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/),
        owner: alice.id,
        members: 2,
        join: 'open',
        history: 'all',
        createdAt: expect.any(Number),
      },
    })
    expect(Math.abs(created.body.createdAt - before)).toBeLessThan(10_000)
    const read = await bob.http(gw2).get<GroupResource>(`/groups/${created.body.id}`)
    expect(read).toMatchObject({ status: 200, body: created.body })
  })

  test('takes a name alone, and counts nobody twice', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const { created } = await alice.createGroup({ members: [bob, bob, alice] })
    expect(created.body).toMatchObject({ members: 2, owner: alice.id })
    const list = await alice.http().get<Members>(`/groups/${created.body.id}/members`)
    expect(list.body.members.map(({ user }) => user).toSorted()).toEqual([alice.id, bob.id].toSorted())
  })

  test('gives each its own id, also with the same name', async () => {
    const alice = world.user('alice')
    const [one, other] = [await alice.createGroup(), await alice.createGroup()]
    expect(one.id).not.toBe(other.id)
  })

  test('takes 500 members, and not 501', async () => {
    const alice = world.user('alice')
    const crowd = Array.from({ length: 501 }, (_, n) => `crowd-${n}`)
    const http = alice.http()
    const full = await http.post<GroupResource>('/groups', { name: 'full', members: crowd.slice(1) })
    expect(full).toMatchObject({ status: 201, body: { members: 501 } })
    expect(await http.post('/groups', { name: 'over', members: crowd })).toMatchObject(
      failure(400, 'bad_request'),
    )
  })

  test.each([
    ['no name', {}],
    ['an empty name', { name: '' }],
    ['a name that is no string', { name: ['x'] }],
    ['an unknown join', { name: 'x', join: 'anybody' }],
    ['an unknown history', { name: 'x', history: 'none' }],
    ['members that are no list', { name: 'x', members: 'bob' }],
    ['a member that is no id', { name: 'x', members: ['b b'] }],
    ['a list', []],
    ['no JSON', 'name=x'],
  ])('with %s is a bad_request', async (_what, body) => {
    expect(await world.user('alice').http().post('/groups', body)).toMatchObject(failure(400, 'bad_request'))
  })
})

describe('reading a group', () => {
  test('that does not exist is not_found; an id that is none is a bad_request', async () => {
    const http = world.user('alice').http()
    expect(await http.get('/groups/no-such-group')).toMatchObject(failure(404, 'not_found'))
    expect(await http.get('/groups/__proto__')).toMatchObject(failure(404, 'not_found'))
    expect(await http.get('/groups/no%20such')).toMatchObject(failure(400, 'bad_request'))
    expect(await http.get('/groups/no-such-group/members')).toMatchObject(failure(404, 'not_found'))
    expect(await http.post('/groups/no-such-group/members', { users: ['a'] })).toMatchObject(
      failure(404, 'not_found'),
    )
  })

  test('counts members as they come and go', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup()
    const members = async () => (await alice.http(gw2).get<GroupResource>(`/groups/${group.id}`)).body.members
    expect(await members()).toBe(1)
    await alice.http().post(`/groups/${group.id}/members`, { users: [bob.id] })
    expect(await members()).toBe(2)
    await alice.http().delete(`/groups/${group.id}/members/${bob.id}`)
    expect(await members()).toBe(1)
  })
})

describe('the members of a group', () => {
  test('are listed in pages with their roles, nobody twice', async () => {
    const alice = world.user('alice')
    const crowd = Array.from({ length: 44 }, () => world.user('member'))
    const group = await alice.createGroup({ members: crowd })
    const listed: Members['members'] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`
      const page: { status: number; body: Members } = await alice
        .http(pages % 2 === 0 ? gw1 : gw2)
        .get<Members>(`/groups/${group.id}/members${query}`)
      expect(page).toMatchObject({ status: 200, body: { total: 45 } })
      expect(page.body.members.length).toBeLessThanOrEqual(20)
      listed.push(...page.body.members)
      cursor = page.body.cursor
      pages++
    } while (cursor !== undefined)
    expect(listed.map(({ user }) => user).toSorted()).toEqual(
      [alice.id, ...crowd.map(({ id }) => id)].toSorted(),
    )
    expect(listed.filter(({ role }) => role === 'owner').map(({ user }) => user)).toEqual([alice.id])
    for (const member of listed) expect(member).not.toHaveProperty('mutedUntil')
  })

  test.each(['limit=0', 'limit=101', 'limit=-1', 'limit=x', 'limit=1.5'])(
    'with %s are a bad_request',
    async (query) => {
      const alice = world.user('alice')
      const group = await alice.createGroup()
      const answer = await alice.http().get(`/groups/${group.id}/members?${query}`)
      expect(answer).toMatchObject(failure(400, 'bad_request'))
    },
  )

  test('with limit=1 and limit=100 are pages of that size', async () => {
    const alice = world.user('alice')
    const group = await alice.createGroup({ members: [world.user('bob'), world.user('carol')] })
    const path = `/groups/${group.id}/members`
    const one = await alice.http().get<Members>(`${path}?limit=1`)
    expect(one.body.members).toHaveLength(1)
    expect(one.body.cursor).toEqual(expect.any(String))
    const all = await alice.http().get<Members>(`${path}?limit=100`)
    expect(all.body.members).toHaveLength(3)
    expect(all.body).not.toHaveProperty('cursor')
  })

  test('may invite, whoever they are; one outside may not', async () => {
    const [alice, bob, carol, dave] = ['alice', 'bob', 'carol', 'dave'].map((name) => world.user(name))
    const group = await alice!.createGroup({ members: [bob!] })
    const path = `/groups/${group.id}/members`
    const invited = await bob!.http(gw2).post<{ id: string }>(path, { users: [carol!.id] })
    expect(invited).toMatchObject({ status: 200, body: { id: expect.stringMatching(/^\d+-\d+$/) } })
    const answer = await dave!.http().post(path, { users: [world.user('erin').id] })
    expect(answer).toMatchObject(failure(403, 'not_member'))
    const { body } = await alice!.http().get<Members>(path)
    expect(body.members.map(({ user }) => user).toSorted()).toEqual(
      [alice!.id, bob!.id, carol!.id].toSorted(),
    )
  })

  test('are added 500 at a time at most; users must be a list of ids', async () => {
    const alice = world.user('alice')
    const group = await alice.createGroup()
    const path = `/groups/${group.id}/members`
    const crowd = Array.from({ length: 501 }, (_, n) => `crowd-${n}`)
    for (const users of [crowd, ['a b'], 'bob', [7], undefined]) {
      expect(await alice.http().post(path, { users })).toMatchObject(failure(400, 'bad_request'))
    }
    expect((await alice.http().get<Members>(path)).body.total).toBe(1)
    expect((await alice.http().post(path, { users: crowd.slice(1) })).status).toBe(200)
    expect((await alice.http().get<Members>(path)).body.total).toBe(501)
  })

  test('are removed by the owner, and leave by themselves, with the id of the event', async () => {
    const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
    const group = await alice.createGroup({ members: [bob, carol] })
    const removed = await alice.http(gw2).delete<{ id: string }>(`/groups/${group.id}/members/${bob.id}`)
    const left = await carol.http().delete<{ id: string }>(`/groups/${group.id}/members/${carol.id}`)
    expect([removed.status, left.status]).toEqual([200, 200])
    expect(seqOf(left.body.id)).toBe(seqOf(removed.body.id) + 1)
    const list = await alice.http().get<Members>(`/groups/${group.id}/members`)
    expect(list.body).toMatchObject({ members: [{ user: alice.id, role: 'owner' }], total: 1 })
    expect(await alice.http().delete(`/groups/${group.id}/members/a%20b`)).toMatchObject(
      failure(400, 'bad_request'),
    )
  })

  test('are added once when calls race on both gateways', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup()
    const path = `/groups/${group.id}/members`
    await Promise.all(
      Array.from({ length: 8 }, (_, n) => alice.http(n % 2 ? gw1 : gw2).post(path, { users: [bob.id] })),
    )
    const history = await alice.http().get(`/conversations/${group.conv}/messages?limit=100`)
    const events = JSON.stringify(history.body).match(new RegExp(`"users":\\["${bob.id}"\\]`, 'g'))
    expect(events).toHaveLength(1)
    expect((await alice.http().get<Members>(path)).body.total).toBe(2)
  })
})
