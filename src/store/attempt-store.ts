/**
 * How often one may try to sign in, counted in Redis for all gateways together. The limits by address are there
 * against machines, wide enough for an office behind one address; passwords are guarded closely.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { UserId } from '@starling/protocol/ids'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { AttemptPort } from '../services/account-ports.ts'
import type { RedisClient } from './redis.ts'
import { redisFault } from './script.ts'

/** Requests of one address within `seconds`. */
const BY_ADDRESS = { points: 600, seconds: 60 }
/** Logins of one user from all addresses together: a guesser with many of them is slowed down as well. */
const BY_USER = { points: 120, seconds: 60 }
/** Wrong passwords for one user from one address. */
const WRONG_PASSWORDS = { points: 10, seconds: 300 }

export class AttemptStore implements AttemptPort {
  readonly #byAddress: RateLimiterRedis
  readonly #byUser: RateLimiterRedis
  readonly #wrongPasswords: RateLimiterRedis

  /** @param deps.prefix what all keys start with */
  constructor(deps: { redis: RedisClient; prefix: string }) {
    const limiter = (name: string, { points, seconds }: { points: number; seconds: number }) =>
      new RateLimiterRedis({
        storeClient: deps.redis,
        keyPrefix: `${deps.prefix}limit:${name}`,
        points,
        duration: seconds,
      })
    this.#byAddress = limiter('address', BY_ADDRESS)
    this.#byUser = limiter('user', BY_USER)
    this.#wrongPasswords = limiter('password', WRONG_PASSWORDS)
  }

  count(what: 'register' | 'login' | 'guest' | 'refresh', address: string): Promise<void> {
    return consume(this.#byAddress, `${what}:${address}`)
  }

  async password(user: UserId, address: string): Promise<{ forget(): Promise<void> }> {
    await this.count('login', address)
    await consume(this.#byUser, user)
    const key = `${user}:${address}`
    await consume(this.#wrongPasswords, key)
    return {
      forget: async () => {
        await this.#wrongPasswords.reward(key).catch((fault: unknown) => {
          throw redisFault(fault)
        })
      },
    }
  }
}

async function consume(limiter: RateLimiterRedis, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw redisFault(refusal)
    throw new ProtocolError('rate_limited', 'too many attempts', {
      retryIn: Math.max(1, refusal.msBeforeNext),
    })
  }
}
