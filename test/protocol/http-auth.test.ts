/** Accounts, profiles and who may call what: registration, login, guests, refresh, `/me`, keys and their absence. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { useWorld, worldFor } from '../support/harness.ts'
import type { ErrorAnswer } from '../support/harness-http.ts'

const world = await useWorld()
const { gw1, gw2 } = world
const anybody = world.http(() => undefined)
const elsewhere = world.http(() => undefined, gw2)

interface Account {
  user: { id: string; name: string }
  token: string
  refreshToken: string
}

/** An error with this status and code, in the form every endpoint has. */
const failure = (status: number, code: string, more: object = {}) => ({
  status,
  body: { error: { code, message: expect.any(String), ...more } },
})

async function registered(name = 'Alice Liddell') {
  const credentials = { id: world.user('alice').id, password: `pass ${randomUUID()}` }
  const answer = await anybody.post<Account>('/auth/register', { ...credentials, name })
  expect(answer.status).toBe(201)
  return { ...credentials, account: answer.body }
}

describe('registering', () => {
  test('gives a user and tokens that open a session and the HTTP side on every gateway', async () => {
    const { id, account } = await registered()
    expect(account).toMatchObject({ user: { id, name: 'Alice Liddell' }, refreshToken: expect.any(String) })
    const session = await world.userCalled(id).connect(gw2, { token: account.token })
    expect(session.welcome.user).toMatchObject({ id, name: 'Alice Liddell' })
    const me = await world.http(() => account.token, gw2).get('/me')
    expect(me).toMatchObject({ status: 200, body: { id, name: 'Alice Liddell' } })
  })

  test('a taken id is a conflict, and one of many who race gets it', async () => {
    const { id } = await registered()
    expect(await elsewhere.post('/auth/register', { id, password: 'another password' })).toMatchObject(
      failure(409, 'conflict'),
    )
    const wanted = world.user('wanted').id
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        (n % 2 === 0 ? anybody : elsewhere).post('/auth/register', {
          id: wanted,
          password: `password of ${n}`,
        }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409])
  })

  test.each([
    ['no id', { password: 'long enough' }],
    ['no password', { id: 'somebody' }],
    ['a bad id', { id: 'some body', password: 'long enough' }],
    ['two dots', { id: '..', password: 'long enough' }],
    ['a list for id', { id: ['somebody'], password: 'long enough' }],
    ['a number for password', { id: 'somebody', password: 123456789 }],
    ['a list', []],
    ['null', null],
    ['no JSON', '{"id":'],
  ])('with %s is a bad_request', async (_what, body) => {
    expect(await anybody.post('/auth/register', body)).toMatchObject(failure(400, 'bad_request'))
  })

  test('as system is refused, and so is logging in as it', async () => {
    const credentials = { id: 'system', password: 'long enough' }
    const register = await anybody.post<ErrorAnswer>('/auth/register', credentials)
    const login = await anybody.post<ErrorAnswer>('/auth/login', credentials)
    expect([register.status, login.status].every((status) => status >= 400 && status < 500)).toBe(true)
  })

  test('ids that are properties of every object are ids like any other', async () => {
    for (const id of ['__proto__', 'constructor', 'toString']) {
      const credentials = { id, password: `pass of ${id}` }
      expect((await anybody.post('/auth/login', credentials)).status).toBe(401)
      expect((await anybody.post('/auth/register', credentials)).status).toBe(201)
      expect((await anybody.post('/auth/register', credentials)).status).toBe(409)
      expect((await elsewhere.post<Account>('/auth/login', credentials)).body.user.id).toBe(id)
    }
  })
})

describe('logging in', () => {
  test('with the right password gives tokens, on every gateway', async () => {
    const { id, password } = await registered()
    const answer = await elsewhere.post<Account>('/auth/login', { id, password })
    expect(answer).toMatchObject({ status: 200, body: { user: { id, name: 'Alice Liddell' } } })
    expect((await world.http(() => answer.body.token).get('/me')).status).toBe(200)
  })

  test('with a wrong password, or as somebody without an account, is unauthorized all the same', async () => {
    const { id, password } = await registered()
    const wrong = await anybody.post<ErrorAnswer>('/auth/login', { id, password: `${password}.` })
    const nobody = await anybody.post<ErrorAnswer>('/auth/login', { id: world.user('nobody').id, password })
    expect(wrong).toMatchObject(failure(401, 'unauthorized'))
    expect(nobody).toMatchObject(failure(401, 'unauthorized'))
    expect(nobody.body.error.message).toBe(wrong.body.error.message)
    const upper = await anybody.post('/auth/login', { id: id.toUpperCase(), password })
    expect(upper.status).toBe(401)
  })
})

describe('guests', () => {
  test('get a user of their own, with the name they give', async () => {
    const one = await anybody.post<Account>('/auth/guest', { name: 'Passer-by' })
    const other = await elsewhere.post<Account>('/auth/guest', {})
    expect([one.status, other.status]).toEqual([201, 201])
    expect(one.body.user).toMatchObject({
      id: expect.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/),
      name: 'Passer-by',
    })
    expect(one.body.user.id).not.toBe(other.body.user.id)
    const session = await world.userCalled(one.body.user.id).connect(gw2, { token: one.body.token })
    expect(session.welcome.user.name).toBe('Passer-by')
  })
})

describe('refreshing', () => {
  test('gives new tokens, and the old refresh token is spent', async () => {
    const { id, account } = await registered()
    const fresh = await elsewhere.post<Account>('/auth/refresh', { refreshToken: account.refreshToken })
    expect(fresh).toMatchObject({ status: 200, body: { user: { id } } })
    expect(fresh.body.refreshToken).not.toBe(account.refreshToken)
    expect((await world.http(() => fresh.body.token).get('/me')).status).toBe(200)
    const again = await anybody.post('/auth/refresh', { refreshToken: account.refreshToken })
    expect(again).toMatchObject(failure(401, 'unauthorized'))
  })

  test('with one token in a race succeeds once', async () => {
    const { account } = await registered()
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        (n % 2 === 0 ? anybody : elsewhere).post('/auth/refresh', { refreshToken: account.refreshToken }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('with a token of another kind is unauthorized, and a refresh token opens nothing', async () => {
    const { account } = await registered()
    for (const refreshToken of ['nonsense', account.token, '']) {
      const answer = await anybody.post('/auth/refresh', { refreshToken })
      expect([400, 401]).toContain(answer.status)
    }
    expect((await anybody.post('/auth/refresh', { refreshToken: 'nonsense' })).status).toBe(401)
    expect((await world.http(() => account.refreshToken).get('/me')).status).toBe(401)
  })
})

describe('a profile', () => {
  test('is there for every user: the name of the token, or the id', async () => {
    const user = world.user('nobody')
    expect((await user.http().get('/me')).body).toMatchObject({ id: user.id, name: user.id })
    const named = world.http(() => user.token({ name: 'Somebody' }))
    expect((await named.get('/me')).body).toMatchObject({ id: user.id, name: 'Somebody' })
  })

  test("set by its user wins over the token's, everywhere", async () => {
    const user = world.user('alice')
    const patched = await user.http().patch('/me', { name: 'Queen', avatar: 'https://a.example/q.png' })
    const profile = { id: user.id, name: 'Queen', avatar: 'https://a.example/q.png' }
    expect(patched).toMatchObject({ status: 200, body: profile })
    const token = user.token({ name: 'Pawn' })
    expect((await world.http(() => token, gw2).get('/me')).body).toMatchObject(profile)
    expect((await user.connect(gw2, { token })).welcome.user).toEqual(profile)
    const seen = await world.user('bob').http(gw2).get(`/users?ids=${user.id}`)
    expect(seen).toMatchObject({ status: 200, body: { users: [profile] } })
  })

  test.each([{ name: 7 }, { name: '' }, { avatar: [] }, 'nonsense', [1]])(
    '%j is no change but a bad_request',
    async (change) => {
      const user = world.user('alice')
      await user.http().patch('/me', { name: 'Alice' })
      expect(await user.http().patch('/me', change)).toMatchObject(failure(400, 'bad_request'))
      expect((await user.http().get('/me')).body).toMatchObject({ name: 'Alice' })
    },
  )

  test('of several users: those without one are left out, 50 at most', async () => {
    const { id } = await registered('Known')
    const http = world.user('reader').http()
    const answer = await http.get(`/users?ids=${id},${world.user('ghost').id},__proto__x`)
    expect(answer).toMatchObject({ status: 200, body: { users: [{ id, name: 'Known' }] } })
    const many = Array.from({ length: 51 }, (_, n) => `user-${n}`).join(',')
    expect(await http.get(`/users?ids=${many}`)).toMatchObject(failure(400, 'bad_request'))
    expect(await http.get('/users?ids=a%20b')).toMatchObject(failure(400, 'bad_request'))
  })

  test('is found by searching', async () => {
    const { id } = await registered(`Zaphod ${randomUUID().slice(0, 8)}`)
    const answer = await world
      .user('reader')
      .http(gw2)
      .get<{ users: { id: string }[] }>(`/users/search?q=${id}`)
    expect(answer.status).toBe(200)
    expect(answer.body.users.map((user) => user.id)).toContain(id)
  })
})

describe('credentials', () => {
  const serverPaths: [string, string][] = [
    ['POST', '/tokens'],
    ['POST', '/push'],
    ['DELETE', '/users/u/sessions'],
    ['GET', '/stats'],
  ]
  const body = (method: string) => (method === 'GET' || method === 'DELETE' ? undefined : {})

  test.each(serverPaths)(
    '%s %s without the key, with a wrong one or a JWT, is unauthorized',
    async (method, path) => {
      const wrong = world.http(() => `${world.cluster.apiKey}x`)
      for (const http of [anybody, wrong, world.user('alice').http()]) {
        expect(await http.request(method, path, body(method))).toMatchObject(failure(401, 'unauthorized'))
      }
    },
  )

  test('of the server API answer 403 where no key is configured, and of /auth 404 where AUTH is external', async (context) => {
    const bare = await worldFor(context, { gateways: 1, env: { API_KEY: '', AUTH: 'external' } })
    for (const http of [bare.http(() => undefined), bare.http(() => 'a guess')]) {
      for (const [method, path] of serverPaths) {
        expect(await http.request(method, path, body(method))).toMatchObject(failure(403, 'forbidden'))
      }
    }
    for (const path of ['register', 'login', 'guest', 'refresh']) {
      const sent = { id: 'alice', password: 'long enough', refreshToken: 'x' }
      expect(await bare.http(() => undefined).post(`/auth/${path}`, sent)).toMatchObject(
        failure(404, 'not_found'),
      )
    }
  })
})

describe('every endpoint', () => {
  test('answers unknown paths and wrong methods with not_found', async () => {
    const http = world.user('alice').http()
    expect(await http.get('/nothing-here')).toMatchObject(failure(404, 'not_found'))
    expect(await http.delete('/me')).toMatchObject(failure(404, 'not_found'))
    expect(await http.put('/groups', {})).toMatchObject(failure(404, 'not_found'))
    expect(await http.get('/__proto__')).toMatchObject(failure(404, 'not_found'))
  })

  test('takes JSON up to 64 KiB and no more', async () => {
    const http = world.user('alice').http()
    const sized = (bytes: number) => {
      const frame = JSON.stringify({ name: 'Alice', ignored: '' })
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`)
    }
    expect((await http.patch('/me', sized(65_536))).status).toBe(200)
    expect(await http.patch('/me', sized(65_537))).toMatchObject(failure(413, 'too_large'))
    expect(await gw1.status('/healthz')).toBe(200)
  })

  test('names the field at fault', async () => {
    const answer = await world.user('alice').http().post('/groups', { name: 7 })
    expect(answer).toMatchObject(failure(400, 'bad_request', { field: 'name' }))
  })
})
