/**
 * JWTs: who may come in, and the tokens this deployment signs itself. HS256 goes with the secret only,
 * the asymmetric algorithms with the key set only, so that a public key is never taken for a secret.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { ProtocolError } from '@starling/protocol/errors'
import { isId, SYSTEM, type UserId } from '@starling/protocol/ids'
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
  SignJWT,
} from 'jose'
import jwt from 'jsonwebtoken'

export interface TokenSettings {
  secret: string | undefined
  jwksUrl: URL | undefined
  issuer: string | undefined
  audience: string | undefined
}

export interface Identity {
  user: UserId
  /** The name the token gives its user; cut where it is longer than a profile's may be. */
  name?: string
  /** When the token ends: Unix seconds, as its claim. */
  exp: number
}

export const MAX_NAME_LENGTH = 64
/** Tokens of the key set that are remembered, since their signatures are dear: a reconnecting crowd costs one check each. */
const CACHE_SIZE = 10_000
const KEY_SET_RETRY_MS = 1_000
const NO_SUCH_KEY = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

const unauthorized = (message: string) => new ProtocolError('unauthorized', message)

export class Tokens {
  readonly #secret: KeyObject | undefined
  readonly #keyOf: JWTVerifyGetKey | undefined
  readonly #settings: TokenSettings
  readonly #options: JWTVerifyOptions
  readonly #verified = new Map<string, Identity>()
  /** The last header that was read: a deployment's tokens all begin with the same. */
  #header: { text: string; alg: string | undefined } = { text: '', alg: undefined }

  constructor(settings: TokenSettings) {
    this.#settings = settings
    this.#secret = settings.secret === undefined ? undefined : createSecretKey(settings.secret, 'utf8')
    this.#keyOf = settings.jwksUrl && remoteKeys(settings.jwksUrl)
    this.#options = {
      requiredClaims: ['exp', 'sub'],
      ...(settings.issuer !== undefined && { issuer: settings.issuer }),
      ...(settings.audience !== undefined && { audience: settings.audience }),
    }
  }

  /**
   * Finds out whose token this is.
   * @throws ProtocolError `unauthorized`; `unavailable` where the key set can't be fetched
   */
  async verify(token: string): Promise<Identity> {
    const known = this.#verified.get(token)
    if (known) {
      if (known.exp * 1000 > Date.now()) return known
      this.#verified.delete(token)
      throw unauthorized('the token has expired')
    }
    try {
      if (this.#algOf(token) === 'HS256') return this.#verifyShared(token)
      return await this.#verifyByKeySet(token)
    } catch (fault) {
      if (fault instanceof ProtocolError) throw fault
      if (fault instanceof errors.JWTExpired || fault instanceof jwt.TokenExpiredError)
        throw unauthorized('the token has expired')
      throw unauthorized('the token is not valid')
    }
  }

  /**
   * Signs a token.
   * @param ttl seconds
   * @throws ProtocolError `forbidden` where this deployment has no key to sign with
   */
  async issue(user: UserId, name: string | undefined, ttl: number): Promise<{ token: string; exp: number }> {
    if (!this.#secret)
      throw new ProtocolError('forbidden', 'JWT_SECRET is not set: tokens come from elsewhere')
    const { issuer, audience } = this.#settings
    const now = Math.floor(Date.now() / 1000)
    const exp = now + ttl
    const draft = new SignJWT(name === undefined ? {} : { name })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(user)
      .setIssuedAt(now)
      .setExpirationTime(exp)
    if (issuer !== undefined) draft.setIssuer(issuer)
    if (audience !== undefined) draft.setAudience(audience)
    return { token: await draft.sign(this.#secret), exp }
  }

  /** @returns what a token says it is signed with @throws Error where it is none */
  #algOf(token: string): string | undefined {
    const text = token.slice(0, token.indexOf('.'))
    if (text !== this.#header.text) this.#header = { text, alg: decodeProtectedHeader(token).alg }
    return this.#header.alg
  }

  /** At once: jose has a thread check each signature, which for a shared secret costs twenty times the check itself. */
  #verifyShared(token: string): Identity {
    if (!this.#secret) throw unauthorized('HS256 is not taken here')
    const { issuer, audience } = this.#settings
    const payload = jwt.verify(token, this.#secret, {
      algorithms: ['HS256'],
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    })
    if (typeof payload === 'string') throw unauthorized('the token is not valid')
    return identityOf(payload as JWTPayload)
  }

  async #verifyByKeySet(token: string): Promise<Identity> {
    if (!this.#keyOf) throw unauthorized('only HS256 is taken here')
    const algorithms = ['RS256', 'ES256', 'EdDSA']
    const { payload } = await jwtVerify(token, this.#keyOf, { ...this.#options, algorithms })
    return this.#remember(token, identityOf(payload))
  }

  #remember(token: string, identity: Identity): Identity {
    if (this.#verified.size >= CACHE_SIZE) {
      const oldest = this.#verified.keys().next().value
      if (oldest !== undefined) this.#verified.delete(oldest)
    }
    this.#verified.set(token, identity)
    return identity
  }
}

function identityOf({ sub, name, exp }: JWTPayload): Identity {
  if (!isId(sub) || sub === SYSTEM) throw unauthorized('the token names no user')
  if (exp === undefined || !Number.isFinite(exp)) throw unauthorized('the token has no end')
  const shown = typeof name === 'string' ? name.slice(0, MAX_NAME_LENGTH).toWellFormed() : ''
  return { user: sub as UserId, exp, ...(shown !== '' && { name: shown }) }
}

/** The keys behind a URL. That they can't be fetched is no fault of the token: `unavailable`. */
function remoteKeys(url: URL): JWTVerifyGetKey {
  const keySet = createRemoteJWKSet(url)
  return async (header, token) => {
    try {
      return await keySet(header, token)
    } catch (fault) {
      if (NO_SUCH_KEY.some((kind) => fault instanceof kind)) throw fault
      const details = { retryIn: KEY_SET_RETRY_MS, cause: fault }
      throw new ProtocolError('unavailable', 'the keys of tokens cannot be fetched', details)
    }
  }
}
