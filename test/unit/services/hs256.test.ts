/** Tokens with a shared secret: what is let in and what is not, however it is spelled. */
import { createHmac, createSecretKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { describe, expect, it } from 'vitest'
import { Tokens } from '../../../src/services/tokens.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const now = Math.floor(Date.now() / 1000)
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
const HEADER = encode({ alg: 'HS256', typ: 'JWT' })
const good = { sub: 'alice', exp: now + 60 }

/** Signs whatever it is given, as nobody's library would. */
function sign(claims: unknown, header = HEADER, secret = SECRET): string {
  const start = `${header}.${typeof claims === 'string' ? claims : encode(claims)}`
  return `${start}.${createHmac('sha256', createSecretKey(secret, 'utf8')).update(start).digest('base64url')}`
}

const tokens = (more = {}) =>
  new Tokens({ secret: SECRET, jwksUrl: undefined, issuer: undefined, audience: undefined, ...more })
const refusal = (message: string) => ({ code: 'unauthorized', message })

describe('a token with the shared secret', () => {
  it('says whose it is, by whichever library it was made', async () => {
    expect(await tokens().verify(sign({ ...good, name: 'Alice' }))).toEqual({
      user: 'alice',
      name: 'Alice',
      exp: good.exp,
    })
    expect(await tokens().verify(jwt.sign(good, SECRET))).toEqual({ user: 'alice', exp: good.exp })
    const issued = await tokens().issue('bob' as never, undefined, 60)
    expect(await tokens().verify(issued.token)).toEqual({ user: 'bob', exp: issued.exp })
  })

  it('ends with the second of its exp', async () => {
    await expect(tokens().verify(sign({ ...good, exp: now - 1 }))).rejects.toMatchObject(
      refusal('the token has expired'),
    )
    await expect(
      tokens().verify(sign({ ...good, exp: Math.floor(Date.now() / 1000) })),
    ).rejects.toMatchObject(refusal('the token has expired'))
  })

  it.each([
    ['another secret', sign(good, HEADER, 'another secret of thirty-two bytes…')],
    ['claims that were changed', sign(good).replace(/\.[^.]+\./, `.${encode({ ...good, sub: 'bob' })}.`)],
    ['no signature', `${HEADER}.${encode(good)}.`],
    ['a signature cut short', sign(good).slice(0, -1)],
    ['a signature with more behind it', `${sign(good)}=`],
    ['a part too many', `${sign(good)}.${HEADER}`],
    ['a part too few', `${HEADER}.${encode(good)}`],
    ['nothing in it', ''],
    ['dots alone', '..'],
    ['no end', sign({ sub: 'alice' })],
    ['an end that is no number', sign({ ...good, exp: '9999999999' })],
    ['a beginning to come', sign({ ...good, nbf: now + 60 })],
    ['a beginning that is no number', sign({ ...good, nbf: '0' })],
    ['no user', sign({ exp: good.exp })],
    ['a user that is none', sign({ ...good, sub: 'a b' })],
    ['the system as its user', sign({ ...good, sub: 'system' })],
    ['a list for claims', sign([good])],
    ['claims that are no JSON', sign(Buffer.from('{').toString('base64url'))],
    ['no algorithm', sign(good, encode({}))],
    ['the algorithm none', `${encode({ alg: 'none' })}.${encode(good)}.`],
    ['another algorithm', sign(good, encode({ alg: 'HS512' }))],
    ['an extension that must be understood', sign(good, encode({ alg: 'HS256', crit: ['b64'], b64: false }))],
    ['a header that is no JSON', sign(good, Buffer.from('{').toString('base64url'))],
  ])('is refused with %s', async (_what, token) => {
    const asked = tokens()
    await asked.verify(sign(good)) // whose header is known from then on
    await expect(asked.verify(token)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it('is of the issuer and for the audience that are set', async () => {
    const strict = tokens({ issuer: 'us', audience: 'here' })
    const claims = { ...good, iss: 'us', aud: 'here' }
    expect(await strict.verify(sign(claims))).toMatchObject({ user: 'alice' })
    expect(await strict.verify(sign({ ...claims, aud: ['there', 'here'] }))).toMatchObject({ user: 'alice' })
    for (const wrong of [
      { iss: 'them' },
      { iss: undefined },
      { aud: 'there' },
      { aud: [] },
      { aud: undefined },
    ])
      await expect(strict.verify(sign({ ...claims, ...wrong }))).rejects.toMatchObject({
        code: 'unauthorized',
      })
  })

  it('is not taken where there is none', async () => {
    const external = tokens({ secret: undefined, jwksUrl: new URL('http://127.0.0.1:1/') })
    await expect(external.verify(sign(good))).rejects.toMatchObject(refusal('HS256 is not taken here'))
  })
})
