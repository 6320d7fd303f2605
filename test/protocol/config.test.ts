/** The process: what it says of wrong settings, what its settings do, and what its log never holds. */
import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { freePort } from '../../scripts/lib/ports.ts'
import { useWorld, worldFor } from '../support/harness.ts'
import { GatewayProcess } from '../support/harness-gateway.ts'
import { UpgradeRefused } from '../support/wire-client.ts'

const world = await useWorld({ env: { LOG_LEVEL: 'debug' } })
const { gw1, gw2 } = world
const SECRET = 'a secret of more than thirty-two bytes'

/** Runs a process that must not become a gateway. */
async function failsToStart(env: Record<string, string>): Promise<GatewayProcess> {
  const base = {
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    REDIS_URL: inject('redisUrl'),
    JWT_SECRET: SECRET,
  }
  const run = new GatewayProcess(
    Object.fromEntries(Object.entries({ ...base, ...env }).filter(([, v]) => v !== '')),
  )
  expect((await run.exit).code).toBe(2)
  expect(run.stdout).toBe('')
  return run
}

describe.concurrent('a wrong setting', () => {
  test.each([
    ['JWT_SECRET', { JWT_SECRET: '' }],
    ['JWKS_URL', { JWT_SECRET: '' }],
    ['JWT_SECRET', { JWT_SECRET: 'x'.repeat(31) }],
    ['PORT', { PORT: 'eighty' }],
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '-1' }],
    ['TCP_PORT', { TCP_PORT: '80.5' }],
    ['REDIS_URL', { REDIS_URL: 'http://127.0.0.1:6379' }],
    ['REDIS_URL', { REDIS_URL: 'nonsense' }],
    ['AUTH', { AUTH: 'both' }],
    ['DURABILITY', { DURABILITY: 'always' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['DRAIN_SECONDS', { DRAIN_SECONDS: 'soon' }],
    ['MAX_BODY_BYTES', { MAX_BODY_BYTES: '16k' }],
    ['STRANGER_LIMIT', { STRANGER_LIMIT: '-1' }],
    ['CHANNELS', { CHANNELS: 'lobby,a b' }],
    ['JWKS_URL', { JWT_SECRET: '', JWKS_URL: 'not a url' }],
    ['TLS_KEY', { TLS_CERT: '/nowhere/cert.pem' }],
  ])('is named on stderr, exit code 2, before any log line: %s of %j', async (name, env) => {
    expect((await failsToStart(env)).stderr).toContain(name)
  })

  test('does not hide the others: all are named in one message', async () => {
    const env = { JWT_SECRET: 'short', PORT: 'x', AUTH: 'y', REDIS_URL: 'z', SEND_RATE: 'many' }
    const { stderr } = await failsToStart(env)
    for (const name of Object.keys(env)) expect(stderr).toContain(name)
  })

  test('is told without its value where it is a secret', async () => {
    const { stderr } = await failsToStart({ JWT_SECRET: 'my short secret' })
    expect(stderr).not.toContain('my short secret')
  })
})

describe('settings', () => {
  test('CHANNELS says which there are and who may write', async (context) => {
    const env = { CHANNELS: 'news:server,talk,lounge' }
    const other = await worldFor(context, { gateways: 1, env })
    const alice = await other.user('alice').connect()
    await alice.send('channel:talk', 'hi')
    await alice.send('channel:lounge', 'hi')
    expect((await alice.sendRefused('channel:news', 'hi')).code).toBe('forbidden')
    expect((await alice.sendRefused('channel:lobby', 'hi')).code).toBe('not_found')
  })

  test('ALLOWED_ORIGINS says whose pages may connect', async (context) => {
    const env = { ALLOWED_ORIGINS: 'https://chat.example,https://www.example' }
    const other = await worldFor(context, { gateways: 1, env })
    const from = (origin: string) =>
      other.open(other.gw1, { origin }).then(
        (line) => line.socket.protocol,
        (error: unknown) => (error instanceof UpgradeRefused ? error.status : error),
      )
    expect(await from('https://chat.example')).toBe('starling.v1')
    expect(await from('https://www.example')).toBe('starling.v1')
    for (const foreign of [
      'https://chat.example.evil.example',
      'http://chat.example',
      'null',
      'https://example',
    ]) {
      expect(await from(foreign)).toBe(403)
    }
    const any = await worldFor(context, { gateways: 1, env: { ALLOWED_ORIGINS: '*' } })
    expect((await any.open(any.gw1, { origin: 'https://anywhere.example' })).socket.protocol).toBe(
      'starling.v1',
    )
  })

  test('ALLOWED_ORIGINS says whose pages may read the HTTP side', async (context) => {
    const other = await worldFor(context, { gateways: 1, env: { ALLOWED_ORIGINS: 'https://chat.example' } })
    const me = (method: string, origin: string, more: Record<string, string> = {}) =>
      fetch(`${other.gw1.url}/api/v1/me`, { method, headers: { origin, ...more } })
    const token = { authorization: `Bearer ${other.user('alice').token()}` }
    const ours = await me('GET', 'https://chat.example', token)
    expect([ours.status, ours.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://chat.example',
    ])
    const asks = {
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization',
    }
    const preflight = await me('OPTIONS', 'https://chat.example', asks)
    expect(preflight.ok).toBe(true)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization')
    const foreign = await me('GET', 'https://elsewhere.example', token)
    expect([null, 'https://chat.example']).toContain(foreign.headers.get('access-control-allow-origin'))
  })

  test('KEY_PREFIX keeps clusters on one Redis apart', async (context) => {
    const other = await worldFor(context, { gateways: 1 })
    const id = world.user('alice').id
    const here = await world.userCalled(id).connect()
    const there = await other.userCalled(id).connect()
    const bob = await other.user('bob').connect()
    await bob.send(there, 'over there')
    await bob.send('channel:lobby', 'over there')
    await there.expects('message', { conv: 'channel:lobby' })
    await here.expectsNothing('message')
    expect((await here.sync({ inbox: '0-0' })).messages).toEqual([])
  })
})

describe('the log', () => {
  test('is JSON lines on stdout that hold no token and no message body', async () => {
    const secrets = { word: `secret-${randomUUID()}`, password: `pass-${randomUUID()}` }
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const token = alice.token({ name: 'Alice' })
    const a = await alice.connect(gw1, { token })
    const b = await bob.connect(gw2)
    await a.send(b, secrets.word)
    await b.expects('message')
    await a.refused({ ...a.sendFrame(b, secrets.word), body: { type: 'unknown', text: secrets.word } })
    a.say(`{"op":"send","ref":"x","body":"${secrets.word}`)
    await a.gets('ok', { op: 'token', token: alice.token() })
    const forged = `${token}x`
    await a.refused({ op: 'token', token: forged })
    const stranger = await world.open(gw1)
    stranger.say({ op: 'hello', token: forged, device: 'd' })
    await stranger.closed
    const credentials = { id: world.user('carol').id, password: secrets.password }
    const account = await world
      .http(() => undefined)
      .post<{ refreshToken: string }>('/auth/register', credentials)
    await world
      .http(() => undefined)
      .post('/auth/login', { ...credentials, password: `${secrets.password}!` })
    const tokens = await world.server.post<{ token: string }>('/tokens', { user: 'dave' })
    await world.server.post('/push', {
      to: [bob.target],
      body: { type: 'text', text: secrets.word },
      ref: 'r',
    })
    await world.http(() => forged).get('/me')
    await a.close()
    await b.close()

    const { output } = world
    const hidden = [
      secrets.word,
      secrets.password,
      token.split('.')[2]!,
      account.body.refreshToken,
      tokens.body.token.split('.')[2]!,
      world.cluster.apiKey,
      world.cluster.jwtSecret,
    ]
    for (const secret of hidden) expect(output).not.toContain(secret)
    const lines = [gw1, gw2].flatMap((node) => node.stdout.split('\n').filter((line) => line !== ''))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(JSON.parse(line)).toBeTypeOf('object')
  })
})
