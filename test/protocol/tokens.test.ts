/** JWTs at the door and in the middle of a session: which are taken, which are not, and how long they carry. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { dmOf, useWorld, type World, worldFor } from '../support/harness.ts'
import { secondsFromNow, signToken } from '../support/harness-jwt.ts'

const world = await useWorld()
const { gw1, gw2 } = world
const { jwtSecret } = world.cluster
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** Says hello with this token on a new connection; it must end with `unauthorized` and 4001. */
async function turnedAway(where: World, token: unknown): Promise<void> {
  const line = await where.open()
  line.say({ op: 'hello', ref: 'h', token, device: 'phone' })
  expect(await line.reply('h')).toMatchObject({
    op: 'error',
    code: 'unauthorized',
    message: expect.any(String),
  })
  expect((await line.closes()).code).toBe(4001)
  expect(line.seen('welcome')).toEqual([])
}

const badTokens: [string, () => string][] = [
  ['signed with another key', () => signToken({ sub: 'mallory' }, 'x'.repeat(64))],
  ['with alg none', () => signToken({ sub: 'mallory' }, '', { alg: 'none' })],
  [
    'with alg none and a signature that would fit',
    () => {
      const good = signToken({ sub: 'mallory' }, jwtSecret).split('.')
      return [signToken({ sub: 'mallory' }, '', { alg: 'none' }).split('.')[0], good[1], good[2]].join('.')
    },
  ],
  ['with HS384 and the right secret', () => signToken({ sub: 'mallory' }, jwtSecret, { alg: 'HS384' })],
  ['with HS512 and the right secret', () => signToken({ sub: 'mallory' }, jwtSecret, { alg: 'HS512' })],
  ['with RS256', () => signToken({ sub: 'mallory' }, rsa.privateKey, { alg: 'RS256' })],
  ['that has expired', () => signToken({ sub: 'mallory', exp: secondsFromNow(-60) }, jwtSecret)],
  ['without exp', () => signToken({ sub: 'mallory', exp: undefined }, jwtSecret)],
  ['whose exp is no number', () => signToken({ sub: 'mallory', exp: 'tomorrow' }, jwtSecret)],
  ['that is not valid yet', () => signToken({ sub: 'mallory', nbf: secondsFromNow(600) }, jwtSecret)],
  ['without sub', () => signToken({ name: 'Mallory' }, jwtSecret)],
  ['whose sub is no string', () => signToken({ sub: 7 }, jwtSecret)],
  ['whose sub is system', () => signToken({ sub: 'system' }, jwtSecret)],
  ['whose sub is no id', () => signToken({ sub: 'mallory:bob' }, jwtSecret)],
  ['whose sub is two dots', () => signToken({ sub: '..' }, jwtSecret)],
  ['whose sub is empty', () => signToken({ sub: '' }, jwtSecret)],
  ['whose sub is too long', () => signToken({ sub: 'm'.repeat(65) }, jwtSecret)],
  [
    'whose payload was changed after signing',
    () => {
      const [head, , signature] = signToken({ sub: 'mallory' }, jwtSecret).split('.')
      return [head, signToken({ sub: 'alice' }, 'other').split('.')[1], signature].join('.')
    },
  ],
  [
    'without a signature',
    () => `${signToken({ sub: 'mallory' }, jwtSecret).split('.').slice(0, 2).join('.')}.`,
  ],
  ['that is no JWT', () => 'open sesame'],
  ['that is empty', () => ''],
]

describe('a hello with a token', () => {
  test.each(badTokens)('%s is unauthorized, 4001', async (_what, make) => {
    await turnedAway(world, make())
  })

  test('that is missing is unauthorized, 4001', async () => {
    await turnedAway(world, undefined)
  })

  test('whose nbf has passed, with claims nobody asked for, is welcome', async () => {
    const alice = world.user('alice')
    const token = alice.token({
      nbf: secondsFromNow(-10),
      iat: secondsFromNow(-10),
      role: 'admin',
      aud: 'anyone',
    })
    expect((await alice.connect(gw1, { token })).id).toBe(alice.id)
  })

  test('of bad make disturbs nobody: sessions go on, nothing is stored, both gateways stay up', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    for (const [, make] of badTokens) await turnedAway(world, make())
    await alice.send(bob, 'all quiet')
    await bob.expects('message', { from: alice.id })
    const { body } = await world.userCalled('mallory').http().get('/conversations')
    expect(JSON.stringify(body)).not.toContain('dm:')
    expect([await gw1.status('/healthz'), await gw2.status('/healthz')]).toEqual([200, 200])
    const presence = await world.userCalled(alice.id).http().get('/presence?users=mallory')
    expect(presence.body).toEqual({ presence: { on: [], off: ['mallory'] } })
  })

  test('of bad make is unauthorized over HTTP too, each of them', async () => {
    for (const [, make] of badTokens) {
      const answer = await world.http(make).get('/me')
      expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } })
    }
  })
})

describe('the token op', () => {
  test('takes a fresh token of the same user', async () => {
    const alice = world.user('alice')
    const session = await alice.connect(gw1)
    expect((await session.gets('ok', { op: 'token', token: alice.token() })).op).toBe('ok')
  })

  test("refuses another user's with forbidden, and the old one stays in force", async () => {
    const session = await world.user('alice').connect(gw1)
    const other = world.user('bob').token()
    expect((await session.refused({ op: 'token', token: other })).code).toBe('forbidden')
    const ack = await session.send(world.user('carol'), 'still me')
    expect(ack.conv).toContain(session.id)
  })

  test('refuses a bad one with unauthorized, and the session goes on', async () => {
    const alice = world.user('alice')
    const session = await alice.connect(gw1)
    const expired = alice.token({ exp: secondsFromNow(-60) })
    const forged = signToken({ sub: alice.id }, 'y'.repeat(64))
    for (const token of [expired, forged, 'garbage']) {
      expect((await session.refused({ op: 'token', token })).code).toBe('unauthorized')
    }
    await session.ping()
  })

  test('without a string is a bad_request that names the field', async () => {
    const session = await world.user('alice').connect(gw1)
    expect(await session.refused({ op: 'token', token: 5 })).toMatchObject({
      code: 'bad_request',
      field: 'token',
    })
    expect(await session.refused({ op: 'token' })).toMatchObject({ code: 'bad_request', field: 'token' })
  })
})

describe.concurrent('the end of a token', () => {
  test('closes its session with 4001, an error first, at most 5 s late', async () => {
    const alice = world.user('alice')
    const exp = secondsFromNow(3)
    const session = await alice.connect(gw1, { token: alice.token({ exp }) })
    expect((await session.closes()).code).toBe(4001)
    const late = Date.now() - exp * 1000
    expect(late).toBeGreaterThan(-200)
    expect(late).toBeLessThan(6_000)
    expect(session.seen('error', { code: 'unauthorized' })).toHaveLength(1)
  })

  test('is put off by a newer one', async () => {
    const alice = world.user('alice')
    const exp = secondsFromNow(2)
    const session = await alice.connect(gw1, { token: alice.token({ exp }) })
    await session.gets('ok', { op: 'token', token: alice.token() })
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 6_000 - Date.now()))
    await session.ping()
  })

  test('is put forward by a newer one that ends earlier', async () => {
    const alice = world.user('alice')
    const session = await alice.connect(gw2)
    await session.gets('ok', { op: 'token', token: alice.token({ exp: secondsFromNow(2) }) })
    expect((await session.closes()).code).toBe(4001)
  })

  test('stays where it was when a bad one is offered', async () => {
    const alice = world.user('alice')
    const session = await alice.connect(gw2, { token: alice.token({ exp: secondsFromNow(3) }) })
    await session.refused({ op: 'token', token: signToken({ sub: alice.id }, 'z'.repeat(64)) })
    await session.refused({ op: 'token', token: world.user('bob').token() })
    expect((await session.closes()).code).toBe(4001)
  })
})

describe('a gateway with JWT_ISSUER and JWT_AUDIENCE', () => {
  test('takes only tokens from that issuer, for that audience', async (context) => {
    const env = { JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'starling' }
    const strict = await worldFor(context, { gateways: 1, env })
    const right = { iss: env.JWT_ISSUER, aud: env.JWT_AUDIENCE }
    const alice = strict.user('alice')
    const welcome = await alice.connect(strict.gw1, { token: alice.token(right) })
    expect(welcome.id).toBe(alice.id)
    const many = await alice.connect(strict.gw1, {
      token: alice.token({ ...right, aud: ['other', 'starling'] }),
    })
    expect(many.id).toBe(alice.id)
    await turnedAway(strict, alice.token({ ...right, aud: 'other' }))
    await turnedAway(strict, alice.token({ ...right, iss: 'https://elsewhere.example' }))
    await turnedAway(strict, alice.token({ iss: right.iss }))
    await turnedAway(strict, alice.token({ aud: right.aud }))
    await turnedAway(strict, alice.token())
  })
})

describe('a gateway with JWKS_URL', () => {
  test('takes RS256, ES256 and EdDSA of these keys only, and no HS256 with anything', async (context) => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const ed = generateKeyPairSync('ed25519')
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = (key: KeyObject, kid: string, alg: string) => ({
      ...key.export({ format: 'jwk' }),
      kid,
      alg,
      use: 'sig',
    })
    const keys = [
      jwk(rsa.publicKey, 'r', 'RS256'),
      jwk(ec.publicKey, 'e', 'ES256'),
      jwk(ed.publicKey, 'd', 'EdDSA'),
    ]
    const jwks = createServer((_request, answer) => {
      answer.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => jwks.once('listening', resolve))
    context.onTestFinished(() => void jwks.close())
    const { port } = jwks.address() as AddressInfo
    const env = { AUTH: 'external', JWT_SECRET: '', JWKS_URL: `http://127.0.0.1:${port}/keys` }
    const external = await worldFor(context, { gateways: 1, env })

    const sub = external.user('alice').id
    const good: [KeyObject, string, string][] = [
      [rsa.privateKey, 'RS256', 'r'],
      [ec.privateKey, 'ES256', 'e'],
      [ed.privateKey, 'EdDSA', 'd'],
    ]
    for (const [key, alg, kid] of good) {
      const alice = await external
        .userCalled(sub)
        .connect(external.gw1, { token: signToken({ sub }, key, { alg, kid }) })
      expect(alice.id).toBe(sub)
    }
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' })
    await turnedAway(external, signToken({ sub }, pem, { alg: 'HS256', kid: 'r' }))
    await turnedAway(external, signToken({ sub }, der, { alg: 'HS256', kid: 'r' }))
    await turnedAway(external, signToken({ sub }, jwtSecret, { alg: 'HS256' }))
    await turnedAway(external, signToken({ sub }, stranger.privateKey, { alg: 'RS256', kid: 'r' }))
    await turnedAway(external, signToken({ sub }, '', { alg: 'none', kid: 'r' }))
    await turnedAway(
      external,
      signToken({ sub, exp: secondsFromNow(-60) }, rsa.privateKey, { alg: 'RS256', kid: 'r' }),
    )
  })
})

test('a token of a foreign user opens only what is theirs', async () => {
  const [alice, bob, mallory] = [world.user('alice'), world.user('bob'), world.user('mallory')]
  await (await alice.connect()).send(bob, 'private')
  const answer = await mallory.http().get(`/conversations/${dmOf(alice, bob)}`)
  expect(answer).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
})
