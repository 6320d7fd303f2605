/**
 * JSON web tokens for tests, made by hand: good ones, and each kind of bad one that a gateway must turn away.
 * The libraries the gateway may use itself are left out, so that both can't be wrong in the same way.
 */
import { createHmac, type KeyObject, sign as signWithKey } from 'node:crypto'

/** A token's payload. `exp` is in Unix seconds; where left out it is an hour ahead, `undefined` leaves it out. */
export interface Claims {
  sub?: unknown
  exp?: unknown
  nbf?: number
  name?: unknown
  [more: string]: unknown
}

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Unix seconds, `offset` from now, as JWT claims count them. */
export const secondsFromNow = (offset: number) => Math.floor(Date.now() / 1000) + offset

function signature(alg: string, signed: string, key: string | Buffer | KeyObject): string {
  switch (alg) {
    case 'none':
      return ''
    case 'HS256':
    case 'HS384':
    case 'HS512':
      return createHmac(`sha${alg.slice(2)}`, key)
        .update(signed)
        .digest('base64url')
    case 'RS256':
      return signWithKey('sha256', Buffer.from(signed), key as KeyObject).toString('base64url')
    case 'ES256':
      return signWithKey('sha256', Buffer.from(signed), {
        key: key as KeyObject,
        dsaEncoding: 'ieee-p1363',
      }).toString('base64url')
    case 'EdDSA':
      return signWithKey(null, Buffer.from(signed), key as KeyObject).toString('base64url')
    default:
      throw new Error(`no such algorithm here: ${alg}`)
  }
}

/**
 * @param key the secret (HS*), or the private key of the algorithm
 * @param header `alg` decides how it is signed; HS256 where not given
 */
export function signToken(
  claims: Claims,
  key: string | Buffer | KeyObject,
  header: { alg?: string; kid?: string } = {},
): string {
  const alg = header.alg ?? 'HS256'
  const signed = `${encoded({ typ: 'JWT', ...header, alg })}.${encoded({ exp: secondsFromNow(3600), ...claims })}`
  return `${signed}.${signature(alg, signed, key)}`
}
