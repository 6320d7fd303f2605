/** The server API (tokens, push, ending sessions, numbers) and what lies outside `/api/v1`. */
import { describe, expect, test } from 'vitest'
import { dmOf, seqOf, until, useWorld, worldFor } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import { secondsFromNow } from '../support/harness-jwt.ts'

const world = await useWorld()
const { gw1, gw2 } = world
const { server } = world

interface Pushed {
  results: {
    to: string
    conv?: string
    id?: string
    dup?: boolean
    error?: { code: string; message: string }
  }[]
}

const failure = (status: number, code: string) => ({
  status,
  body: { error: { code, message: expect.any(String) } },
})
const push = (to: unknown, ref: string, more: object = {}) =>
  server.post<Pushed>('/push', { to, body: text('from above'), ref, ...more })

describe('POST /tokens', () => {
  test('makes a token that every gateway takes, for a day where nothing else is said', async () => {
    const alice = world.user('alice')
    const { status, body } = await server.post<{ token: string; exp: number }>('/tokens', {
      user: alice.id,
      name: 'Al',
    })
    expect(status).toBe(200)
    expect(Math.abs(body.exp - secondsFromNow(86_400))).toBeLessThan(10)
    const session = await alice.connect(gw2, { token: body.token })
    expect(session.welcome.user).toMatchObject({ id: alice.id, name: 'Al' })
    expect((await world.http(() => body.token).get('/me')).body).toMatchObject({ id: alice.id, name: 'Al' })
  })

  test('lives as long as asked, 30 days at most', async () => {
    const { body } = await server.post<{ exp: number }>('/tokens', { user: 'alice', ttl: 60 })
    expect(Math.abs(body.exp - secondsFromNow(60))).toBeLessThan(10)
    expect((await server.post('/tokens', { user: 'alice', ttl: 2_592_000 })).status).toBe(200)
    for (const ttl of [2_592_001, 0, -1, '60', 1e300]) {
      expect(await server.post('/tokens', { user: 'alice', ttl })).toMatchObject(failure(400, 'bad_request'))
    }
  })

  test('for no id, or for system, is refused', async () => {
    for (const user of [undefined, 'a b', '..', 7]) {
      expect(await server.post('/tokens', { user })).toMatchObject(failure(400, 'bad_request'))
    }
    const { status } = await server.post('/tokens', { user: 'system' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
  })
})

describe('POST /push', () => {
  test('reaches users, groups and channels from system, and answers for each in the order asked', async () => {
    const alice = world.user('alice')
    const a = await alice.connect(gw1)
    const group = await world.user('owner').createGroup({ members: [alice] })
    const targets = [alice.target, group.target, 'channel:announcements', 'channel:lobby']
    const { status, body } = await push(targets, 'notice')
    expect(status).toBe(200)
    expect(body.results.map(({ to }) => to)).toEqual(targets)
    expect(body.results.map(({ conv }) => conv)).toEqual([
      dmOf(alice, { id: 'system' }),
      group.conv,
      'channel:announcements',
      'channel:lobby',
    ])
    for (const { conv, id } of body.results) {
      const message = await a.expects('message', (frame) => frame.conv === conv && frame.id === id)
      expect(message).toMatchObject({ from: 'system', body: text('from above') })
    }
  })

  test('to one who is away waits in the inbox', async () => {
    const alice = world.user('alice')
    const { body } = await push([alice.target], 'later')
    const { messages } = await (await alice.connect(gw2)).sync({ inbox: '0-0' })
    expect(messages).toMatchObject([{ id: body.results[0]!.id, from: 'system' }])
  })

  test('[P2] under the same ref is stored once, on whichever gateway', async () => {
    const alice = world.user('alice')
    const first = await push([alice.target], 'once')
    expect(first.body.results[0]).not.toHaveProperty('dup', true)
    const path = { to: [alice.target, 'user:another'], body: text('from above'), ref: 'once' }
    const again = await world.http(() => world.cluster.apiKey, gw2).post<Pushed>('/push', path)
    expect(again.body.results[0]).toMatchObject({ id: first.body.results[0]!.id, dup: true })
    expect(again.body.results[1]).not.toHaveProperty('dup', true)
  })

  test('on behalf of a user is bound by what binds them, per target', async () => {
    const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
    const theirs = await carol.createGroup()
    await bob.http().put(`/blocks/${alice.id}`)
    const targets = [
      carol.target,
      bob.target,
      theirs.target,
      'channel:announcements',
      'group:nope',
      'channel:nope',
    ]
    const { status, body } = await push(targets, 'p', { from: alice.id })
    expect(status).toBe(200)
    expect(body.results.map(({ error }) => error?.code)).toEqual([
      undefined,
      'blocked',
      'not_member',
      'forbidden',
      'not_found',
      'not_found',
    ])
    expect(body.results[1]!.error).toMatchObject({ code: 'blocked', message: expect.any(String) })
    const { messages } = await (await carol.connect()).sync({ inbox: '0-0' })
    expect(messages.filter(({ conv }) => conv === dmOf(alice, carol))).toMatchObject([{ from: alice.id }])
  })

  test('by system is bound by no block, no membership and no limit', async (context) => {
    const strict = await worldFor(context, { gateways: 1, env: { STRANGER_LIMIT: '' } })
    const bob = strict.user('bob')
    const blocking = await bob.http().put('/blocks/system')
    expect(blocking.status).toBeLessThan(500)
    const group = await strict.user('owner').createGroup()
    for (let n = 0; n < 6; n++) {
      const { body } = await strict.server.post<Pushed>('/push', {
        to: [bob.target, group.target],
        body: text('hi'),
        ref: `${n}`,
      })
      expect(body.results.map(({ error }) => error)).toEqual([undefined, undefined])
    }
  })

  test('to system is forbidden', async () => {
    const { body } = await push(['user:system'], 's')
    expect(body.results[0]!.error).toMatchObject({ code: 'forbidden' })
  })

  test('takes 500 targets, and not 501', async () => {
    const targets = Array.from({ length: 501 }, (_, n) => `user:crowd-${n}`)
    const { body } = await push(targets.slice(1), 'crowd')
    expect(body.results.map(({ to }) => to)).toEqual(targets.slice(1))
    for (const { id } of body.results) expect(seqOf(id!)).toBe(1)
    expect(await push(targets, 'crowd')).toMatchObject(failure(400, 'bad_request'))
  })

  test.each([
    ['no ref', { ref: undefined }],
    ['a bad ref', { ref: 'ä' }],
    ['no targets', { to: undefined }],
    ['a target that is none', { to: ['bob'] }],
    ['targets that are no list', { to: 'user:bob' }],
    ['no body', { body: undefined }],
    ['an event for body', { body: { type: 'event', event: 'member_joined', users: [], by: 'x' } }],
    ['an empty text', { body: text('') }],
    ['a from that is no id', { from: 'a b' }],
  ])('with %s is a bad_request, and nobody gets anything', async (_what, change) => {
    const alice = world.user('alice')
    const fields = { to: [alice.target], body: text('hi'), ref: 'r', ...change }
    expect(await server.post('/push', fields)).toMatchObject(failure(400, 'bad_request'))
    expect((await (await alice.connect()).sync({ inbox: '0-0' })).messages).toEqual([])
  })
})

describe('GET /stats', () => {
  test('counts nodes, connections and who is online', async (context) => {
    const quiet = await worldFor(context)
    const alice = quiet.user('alice')
    await alice.connect(quiet.gw1)
    await alice.connect(quiet.gw2)
    await quiet.user('bob').connect(quiet.gw2)
    interface Stats {
      nodes: { node: string; connections: number; since: number }[]
      connections: number
      online: number
    }
    let last: Stats | undefined
    await until(
      async () => {
        last = (await quiet.server.get<Stats>('/stats')).body
        return last.connections === 3 && last.online === 2
      },
      10_000,
      'three connections, two users online',
    )
    expect(last!.nodes.map(({ connections }) => connections).toSorted()).toEqual([1, 2])
    for (const { node, since } of last!.nodes) {
      expect(node).toMatch(/gw-[12]/)
      expect(Math.abs(Date.now() - since)).toBeLessThan(60_000)
    }
  })
})

describe('outside /api/v1', () => {
  test.each(['/healthz', '/readyz'] as const)('%s says 200, without credentials', async (path) => {
    expect([await gw1.status(path), await gw2.status(path)]).toEqual([200, 200])
  })

  test('/metrics is in the form that Prometheus reads', async () => {
    const answer = await fetch(`${gw1.url}/metrics`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/)
    const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines)
      expect(line).toMatch(/^[a-zA-Z_:][\w:]*(\{.*\})? (NaN|[+-]Inf|[-+.\deE]+)( \d+)?$/)
  })

  test('/openapi.json describes every path of the page', async () => {
    const answer = await fetch(`${gw2.url}/openapi.json`)
    expect(answer.status).toBe(200)
    const spec = (await answer.json()) as { openapi: string; paths: Record<string, Record<string, unknown>> }
    expect(spec.openapi).toMatch(/^3\.1\./)
    const described = Object.entries(spec.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method} ${path.replace(/^\/api\/v1/, '').replace(/\{\w+\}/g, '{}')}`,
      ),
    )
    expect(described).toEqual(
      expect.arrayContaining([
        'post /auth/register',
        'post /auth/login',
        'post /auth/guest',
        'post /auth/refresh',
        'get /me',
        'patch /me',
        'get /users',
        'get /users/search',
        'get /conversations',
        'get /conversations/{}',
        'get /conversations/{}/messages',
        'post /groups',
        'get /groups/{}',
        'get /groups/{}/members',
        'post /groups/{}/members',
        'delete /groups/{}/members/{}',
        'get /contacts',
        'put /contacts/{}',
        'delete /contacts/{}',
        'put /blocks/{}',
        'delete /blocks/{}',
        'get /sessions',
        'delete /sessions/{}',
        'get /presence',
        'get /presence/online',
        'post /tokens',
        'post /push',
        'delete /users/{}/sessions',
        'get /stats',
      ]),
    )
  })
})

describe('contacts', () => {
  test('are followed and let go, twice without harm', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const http = alice.http()
    expect((await http.put(`/contacts/${bob.id}`)).status).toBeLessThan(300)
    const followed = await alice.http(gw2).get('/contacts')
    expect(followed.status).toBe(200)
    expect(JSON.stringify(followed.body)).toContain(bob.id)
    expect((await http.put(`/contacts/${bob.id}`)).status).toBeLessThan(300)
    expect((await http.get('/contacts')).body).toEqual(followed.body)
    for (let n = 0; n < 2; n++) expect((await http.delete(`/contacts/${bob.id}`)).status).toBeLessThan(300)
    expect(JSON.stringify((await http.get('/contacts')).body)).not.toContain(bob.id)
    expect(await http.put('/contacts/a%20b')).toMatchObject(failure(400, 'bad_request'))
    expect(await http.put('/blocks/..%2f')).toMatchObject(failure(400, 'bad_request'))
  })
})
