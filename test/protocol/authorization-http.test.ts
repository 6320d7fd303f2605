/**
 * Who may call what over HTTP: every endpoint that the app declares, for everybody who may come along. An endpoint
 * without a row here fails, so that a new one is thought of.
 */
import { randomUUID } from 'node:crypto'
import { ERROR_CODES, type ErrorCode } from '@starling/protocol/errors'
import { afterAll, describe, expect, test } from 'vitest'
import { Backstage } from '../support/backstage.ts'
import { useWorld } from '../support/harness.ts'
import type { Answer, ErrorAnswer } from '../support/harness-http.ts'
import { credentialOf, ROLES, type Role, type Scene, setScene, type Verdicts } from '../support/scene.ts'
import { bareApp } from '../unit/http/bare-app.ts'

const world = await useWorld({ gateways: 1 })
const backstage = new Backstage(world.cluster)
afterAll(() => backstage.close())

type Verdict = 'ok' | ErrorCode

interface Row {
  /** As the app declares it. */
  endpoint: `${string} /${string}`
  /** Which kind of thing is asked for, where it matters. */
  of?: string
  /** The path asked for, where it isn't the endpoint's; below `/api/v1` unless `root`. */
  path?: (scene: Scene, role: Role) => string | Promise<string>
  body?: (scene: Scene, role: Role) => unknown
  expects: Verdicts<Verdict>
  /** What one who is let in must, or must not, see. */
  shows?: (answer: Answer<unknown>, scene: Scene, role: Role) => void
  join?: 'open'
}

const NOBODY = { key: 'unauthorized', none: 'unauthorized' } as const
/** For users: the same for all of them, with exceptions. */
const users = (all: Verdict, but: Partial<Verdicts<Verdict>> = {}): Verdicts<Verdict> => ({
  outsider: all,
  member: all,
  muted: all,
  removed: all,
  admin: all,
  owner: all,
  other: all,
  ...NOBODY,
  ...but,
})
const everybody = users('ok', { key: 'ok', none: 'ok' })
const serverOnly = users('unauthorized', { key: 'ok' })
/** For those in the group. */
const inside = (all: Verdict = 'ok', but: Partial<Verdicts<Verdict>> = {}) =>
  users('not_member', { member: all, muted: all, admin: all, owner: all, ...but })
/** For the two of a dm. */
const ofTheTwo = users('not_found', { owner: 'ok', member: 'ok' })

const group = ({ group: { id } }: Scene) => `/groups/${id}`
const self = (scene: Scene, role: Role) =>
  role === 'key' || role === 'none' ? scene.newcomer.id : scene.people[role].id
const memberPath = (who: (scene: Scene, role: Role) => string) => (scene: Scene, role: Role) =>
  `${group(scene)}/members/${who(scene, role)}`
const textOf = (answer: Answer<unknown>) => JSON.stringify(answer.body) ?? ''

const account = async () => {
  const sent = { id: world.user('account').id, password: 'long enough' }
  const { body } = await world.http(() => undefined).post<{ refreshToken: string }>('/auth/register', sent)
  return { ...sent, ...body }
}
const registered = await account()

const rows: Row[] = [
  {
    endpoint: 'POST /auth/register',
    body: () => ({ id: world.user('new').id, password: 'long enough' }),
    expects: everybody,
  },
  {
    endpoint: 'POST /auth/login',
    body: () => ({ id: registered.id, password: registered.password }),
    expects: everybody,
  },
  { endpoint: 'POST /auth/guest', body: () => ({}), expects: everybody },
  {
    endpoint: 'POST /auth/refresh',
    body: async () => ({ refreshToken: (await account()).refreshToken }),
    expects: everybody,
  },
  {
    endpoint: 'GET /me',
    expects: users('ok'),
    shows: (answer, scene, role) => expect(answer.body).toMatchObject({ id: self(scene, role) }),
  },
  {
    endpoint: 'PATCH /me',
    body: () => ({ name: 'Somebody' }),
    expects: users('ok'),
    shows: (answer, scene, role) => expect(answer.body).toMatchObject({ id: self(scene, role) }),
  },
  {
    endpoint: 'GET /users',
    path: ({ people }) => `/users?ids=${people.owner.id}`,
    expects: users('ok'),
  },
  { endpoint: 'GET /users/search', path: () => '/users/search?q=a', expects: users('ok') },
  {
    endpoint: 'GET /conversations',
    expects: users('ok'),
    shows: (answer, scene, role) => {
      const isInside = inside()[role] === 'ok'
      expect(textOf(answer).includes(scene.group.conv)).toBe(isInside)
      if (ofTheTwo[role] !== 'ok') expect(textOf(answer)).not.toContain(scene.dm)
    },
  },
  ...(['', '/messages'] as const).flatMap((more): Row[] => {
    const endpoint = `GET /conversations/{conv}${more}` as const
    const at = (conv: string) => `/conversations/${conv}${more}`
    return [
      { endpoint, of: 'a group', path: (scene) => at(scene.group.conv), expects: inside() },
      {
        endpoint,
        of: 'an open group',
        join: 'open',
        path: (scene) => at(scene.group.conv),
        expects: inside(),
      },
      { endpoint, of: 'a dm', path: (scene) => at(scene.dm), expects: ofTheTwo },
      { endpoint, of: 'a channel', path: () => at('channel:announcements'), expects: users('ok') },
      { endpoint, of: 'nothing', path: () => at('group:nobodys'), expects: users('not_found') },
    ]
  }),
  { endpoint: 'POST /groups', body: () => ({ name: 'another' }), expects: users('ok') },
  { endpoint: 'GET /groups/{id}', path: group, expects: inside() },
  { endpoint: 'GET /groups/{id}', of: 'an open group', join: 'open', path: group, expects: users('ok') },
  { endpoint: 'GET /groups/{id}/members', path: (scene) => `${group(scene)}/members`, expects: inside() },
  {
    endpoint: 'GET /groups/{id}/members',
    of: 'an open group',
    join: 'open',
    path: (scene) => `${group(scene)}/members`,
    expects: inside(),
  },
  ...(['invite', 'open'] as const).flatMap((join): Row[] => [
    {
      endpoint: 'POST /groups/{id}/members',
      of: `somebody else (${join})`,
      ...(join === 'open' && { join }),
      path: (scene) => `${group(scene)}/members`,
      body: ({ newcomer }) => ({ users: [newcomer.id] }),
      expects: inside(),
    },
    {
      endpoint: 'POST /groups/{id}/members',
      of: `oneself and somebody else (${join})`,
      ...(join === 'open' && { join }),
      path: (scene) => `${group(scene)}/members`,
      body: (scene, role) => ({ users: [self(scene, role), scene.newcomer.id] }),
      expects: inside(),
    },
    {
      endpoint: 'POST /groups/{id}/members',
      of: `oneself (${join})`,
      ...(join === 'open' && { join }),
      path: (scene) => `${group(scene)}/members`,
      body: (scene, role) => ({ users: [self(scene, role)] }),
      expects:
        join === 'open'
          ? users('ok')
          : inside('ok', { outsider: 'forbidden', removed: 'forbidden', other: 'forbidden' }),
    },
  ]),
  {
    endpoint: 'DELETE /groups/{id}/members/{user}',
    of: 'a member',
    path: memberPath(({ victim }) => victim.id),
    expects: inside('ok', { member: 'forbidden', muted: 'forbidden' }),
  },
  {
    endpoint: 'DELETE /groups/{id}/members/{user}',
    of: 'an admin',
    path: memberPath(({ secondAdmin }) => secondAdmin.id),
    expects: inside('forbidden', { owner: 'ok' }),
  },
  {
    endpoint: 'DELETE /groups/{id}/members/{user}',
    of: 'the owner',
    path: memberPath(({ people }) => people.owner.id),
    expects: inside('forbidden'),
  },
  {
    endpoint: 'DELETE /groups/{id}/members/{user}',
    of: 'oneself',
    path: memberPath(self),
    expects: inside('ok', { owner: 'forbidden' }),
  },
  { endpoint: 'GET /contacts', expects: users('ok') },
  ...(['contacts', 'blocks'] as const).flatMap((list) =>
    (['PUT', 'DELETE'] as const).map(
      (method): Row => ({
        endpoint: `${method} /${list}/{user}`,
        path: ({ newcomer }) => `/${list}/${newcomer.id}`,
        expects: users('ok'),
      }),
    ),
  ),
  {
    endpoint: 'GET /sessions',
    path: async ({ people }) => {
      await people.owner.connect()
      return '/sessions'
    },
    expects: users('ok'),
    shows: ({ body }, _scene, role) =>
      expect((body as { sessions: unknown[] }).sessions).toHaveLength(role === 'owner' ? 1 : 0),
  },
  {
    endpoint: 'DELETE /sessions/{session}',
    path: async ({ people }) => `/sessions/${(await people.owner.connect()).session}`,
    expects: users('not_found', { owner: 'ok' }),
  },
  {
    endpoint: 'GET /presence',
    path: ({ people }) => `/presence?users=${people.owner.id}`,
    expects: users('ok'),
  },
  { endpoint: 'GET /presence/online', expects: users('ok') },
  { endpoint: 'POST /tokens', body: ({ people }) => ({ user: people.owner.id }), expects: serverOnly },
  {
    endpoint: 'POST /push',
    body: ({ group: { target } }) => ({
      to: [target],
      body: { type: 'text', text: 'hi' },
      ref: randomUUID(),
    }),
    expects: serverOnly,
  },
  {
    endpoint: 'DELETE /users/{id}/sessions',
    path: ({ people }) => `/users/${people.owner.id}/sessions`,
    expects: serverOnly,
  },
  { endpoint: 'GET /stats', expects: serverOnly },
  ...(['healthz', 'readyz', 'metrics', 'openapi.json'] as const).map(
    (name): Row => ({ endpoint: `GET /../${name}`, path: () => `/../../${name}`, expects: everybody }),
  ),
]

/** `GET /groups/{id}`, below the API; others are one up. */
const declared = new Set(
  bareApp().app.routes.flatMap(({ method, path }) => {
    if (method === 'ALL') return []
    const name = path.replace(/:(\w+)/g, '{$1}')
    return [`${method} ${name.startsWith('/api/v1/') ? name.slice('/api/v1'.length) : `/..${name}`}`]
  }),
)

test('every endpoint has a row, and every row an endpoint', () => {
  expect([...new Set(rows.map(({ endpoint }) => endpoint as string))].toSorted()).toEqual(
    [...declared].toSorted(),
  )
})

/** What one changes here others would see; for all the rest one scene does. */
const CHANGES = /^(POST|DELETE) (\/groups\/\{id\}|\/push)|\/sessions/
const calm = { invite: setScene(world, backstage), open: setScene(world, backstage, { join: 'open' }) }
const titled = rows.map((row) => [row.of ? `${row.endpoint}, ${row.of}` : row.endpoint, row] as const)

describe.each(titled)('%s', (_title, { endpoint, path, body, expects, shows, join }) => {
  test.each(ROLES)('as %s', async (role) => {
    const [method = '', plain = ''] = endpoint.split(' ')
    const isOwn = CHANGES.test(endpoint)
    const scene = await (isOwn ? setScene(world, backstage, join && { join }) : calm[join ?? 'invite'])
    const asked = (await path?.(scene, role)) ?? plain
    const sent = await body?.(scene, role)
    const owner = `group:${scene.group.id}`
    const before = await backstage.snapshot(owner)

    const http = world.http(() => credentialOf(world, scene, role))
    const answer = await http.request(method, asked, sent)

    const verdict = expects[role]
    if (verdict === 'ok') {
      expect(answer).toMatchObject({ status: expect.toSatisfy(isSuccess) })
      shows?.(answer, scene, role)
      return
    }
    expect(answer.status).toBe(ERROR_CODES[verdict].status)
    expect((answer.body as ErrorAnswer).error.code).toBe(verdict)
    // One who is refused changes nothing and learns nothing of what is inside.
    expect(await backstage.snapshot(owner)).toBe(before)
    expect(textOf(answer)).not.toContain(scene.victim.id)
    expect(textOf(answer)).not.toContain('between us')
  })
})

const isSuccess = (status: number) => [200, 201, 204].includes(status)
