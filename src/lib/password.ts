/**
 * Passwords: how they are kept and compared. A hash carries its parameters, so that they can be raised later and
 * old hashes still be checked. The work is done on the thread pool.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

interface Cost {
  /** log2 of scrypt's N. */
  logN: number
  r: number
  p: number
}

/** 32 MiB and some 80 ms: a guess is dear, and a gateway can still take logins in numbers. */
const COST: Cost = { logN: 15, r: 8, p: 1 }
const KEY_BYTES = 32
const SALT_BYTES = 16

function derive(password: string, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r, p, maxmem: 256 * r * 2 ** logN }
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  // One password has several spellings in Unicode, and keyboards differ in which they send.
  scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (fault, key) =>
    fault ? reject(fault) : resolve(key),
  )
  return promise
}

const format = ({ logN, r, p }: Cost, salt: Buffer, key: Buffer): string =>
  ['scrypt', logN, r, p, salt.toString('base64url'), key.toString('base64url')].join('$')

/** @returns what may be kept of a password */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  return format(COST, salt, await derive(password, salt, COST))
}

/** Nobody's hash: comparing with it takes as long as with anybody's. */
const NOBODY = format(COST, Buffer.alloc(SALT_BYTES), Buffer.alloc(KEY_BYTES))

/** @param hash undefined where there is no account: the answer is no, and takes as long */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
  const [, logN, r, p, salt = '', key = ''] = (hash ?? NOBODY).split('$')
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) }
  const derived = await derive(password, Buffer.from(salt, 'base64url'), cost)
  return timingSafeEqual(derived, Buffer.from(key, 'base64url')) && hash !== undefined
}
