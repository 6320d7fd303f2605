/** Tokens and key sets: what is fetched when, and what a fault of the key set's server means. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { UserId } from '@starling/protocol/ids'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type TokenSettings, Tokens } from '../../../src/services/tokens.ts'
import { SECRET, tokens } from './bare-app.ts'

const settings: TokenSettings = {
  secret: undefined,
  jwksUrl: undefined,
  issuer: undefined,
  audience: undefined,
}
const alice = 'alice' as UserId

/** Puts the clock forward until the test ends, since a token of a second may end while it is looked at. */
function laterBy(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
  onTestFinished(() => void vi.useRealTimers())
}

/** A server of keys that can be told to fail. */
async function keyServer(alg: string) {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg }
  let asked = 0
  let status = 200
  const server = createServer((_request, answer) => {
    asked++
    answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  const jwksUrl = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`)
  return {
    tokens: new Tokens({ ...settings, jwksUrl }),
    sign: (claims: Record<string, unknown>, kid = 'k1', ends = '1h') =>
      new SignJWT(claims).setProtectedHeader({ alg, kid }).setExpirationTime(ends).sign(privateKey),
    asked: () => asked,
    fail: () => {
      status = 500
    },
  }
}

describe('a token', () => {
  test('tells its user, name and end', async () => {
    const { token, exp } = await tokens.issue(alice, 'Alice', 60)
    expect(await tokens.verify(token)).toEqual({ user: 'alice', name: 'Alice', exp })
    expect(Math.abs(exp - Date.now() / 1000 - 60)).toBeLessThan(2)
  })

  test('opens until it ends', async () => {
    const own = new Tokens({ ...settings, secret: SECRET })
    const { token } = await own.issue(alice, undefined, 60)
    expect(await own.verify(token)).toMatchObject({ user: alice })
    laterBy(61_000)
    await expect(own.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('whose name is no text, or too long a one, still opens', async () => {
    const sign = (name: unknown) =>
      new SignJWT({ sub: 'alice', name })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime('1h')
        .sign(new TextEncoder().encode(SECRET))
    for (const name of [7, null, '', {}]) {
      expect(await tokens.verify(await sign(name))).not.toHaveProperty('name')
    }
    const { name } = await tokens.verify(await sign(`${'n'.repeat(63)}😀`))
    expect(name).toHaveLength(64)
    expect(name?.isWellFormed()).toBe(true)
  })

  test('issued here carries the issuer and audience that are asked for', async () => {
    const strict = new Tokens({ ...settings, secret: SECRET, issuer: 'here', audience: 'us' })
    expect(await strict.verify((await strict.issue(alice, undefined, 60)).token)).toMatchObject({
      user: 'alice',
    })
    const { token } = await tokens.issue(alice, undefined, 60)
    await expect(strict.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('can’t be issued without a secret', async () => {
    await expect(new Tokens(settings).issue(alice, undefined, 60)).rejects.toMatchObject({
      code: 'forbidden',
    })
  })
})

describe('a key set', () => {
  test.each(['RS256', 'ES256', 'EdDSA'])('opens to %s and is fetched once', async (alg) => {
    const keys = await keyServer(alg)
    for (const sub of ['alice', 'bob']) {
      expect(await keys.tokens.verify(await keys.sign({ sub }))).toMatchObject({ user: sub })
    }
    expect(keys.asked()).toBe(1)
  })

  test('is not needed again for a token that it has opened to, until that ends', async () => {
    const keys = await keyServer('ES256')
    const token = await keys.sign({ sub: 'alice' }, 'k1', '60s')
    expect(await keys.tokens.verify(token)).toBe(await keys.tokens.verify(token))
    laterBy(61_000)
    await expect(keys.tokens.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('opens to no other algorithm', async () => {
    const keys = await keyServer('PS256')
    await expect(keys.tokens.verify(await keys.sign({ sub: 'alice' }))).rejects.toMatchObject({
      code: 'unauthorized',
    })
  })

  test('that has no such key makes a token unauthorized, and is not asked each time', async () => {
    const keys = await keyServer('ES256')
    for (let n = 0; n < 5; n++) {
      await expect(keys.tokens.verify(await keys.sign({ sub: 'alice' }, `guess-${n}`))).rejects.toMatchObject(
        {
          code: 'unauthorized',
        },
      )
    }
    expect(keys.asked()).toBe(1)
  })

  test('that can’t be had is no fault of the token: unavailable, with a time to come back', async () => {
    const keys = await keyServer('ES256')
    keys.fail()
    await expect(keys.tokens.verify(await keys.sign({ sub: 'alice' }))).rejects.toMatchObject({
      code: 'unavailable',
      retryIn: expect.any(Number),
    })
  })

  test('opens to no HS256, whatever it is signed with', async () => {
    const keys = await keyServer('ES256')
    const { token } = await tokens.issue(alice, undefined, 60)
    await expect(keys.tokens.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
    expect(keys.asked()).toBe(0)
  })
})
