/**
 * JWTs signed with a shared secret, which every connect begins with. Written out here, since libraries take five times
 * as long: they parse each part more than once, or have a thread check a signature.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { JWTPayload } from 'jose'

/** What a token must say, where it is set. */
export interface Expected {
  issuer: string | undefined
  audience: string | undefined
}

/** @returns what a token's header says; undefined where it has none, or asks for what nobody here understands */
export function algorithmOf(header: string): string | undefined {
  const parsed = parsePart(header)
  return parsed && !('crit' in parsed) && typeof parsed['alg'] === 'string' ? parsed['alg'] : undefined
}

/**
 * Checks a token whose header says HS256.
 * @param now Unix ms
 * @returns its claims; `expired` where nothing else is wrong with it; undefined where it is not valid
 */
export function checkHs256(
  token: string,
  secret: KeyObject,
  expected: Expected,
  now: number,
): JWTPayload | 'expired' | undefined {
  const payloadAt = token.indexOf('.') + 1
  const signatureAt = token.indexOf('.', payloadAt) + 1
  if (payloadAt === 0 || signatureAt === 0) return undefined
  // Compared as text: of a signature's bytes there is more than one spelling.
  const signature = createHmac('sha256', secret)
    .update(token.slice(0, signatureAt - 1))
    .digest('base64url')
  if (!isSame(signature, token.slice(signatureAt))) return undefined
  const claims: JWTPayload | undefined = parsePart(token.slice(payloadAt, signatureAt - 1))
  if (!claims || !isAsExpected(claims, expected)) return undefined
  const seconds = Math.floor(now / 1000)
  const { nbf, exp } = claims as { nbf: unknown; exp: unknown }
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= seconds)) return undefined
  if (typeof exp !== 'number') return undefined
  return seconds < exp ? claims : 'expired'
}

function isAsExpected({ iss, aud }: JWTPayload, { issuer, audience }: Expected): boolean {
  if (issuer !== undefined && iss !== issuer) return false
  return audience === undefined || aud === audience || (Array.isArray(aud) && aud.includes(audience))
}

/** Takes as long for a wrong signature as for the right one. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function parsePart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
