/** The secrets of a local cluster: made once, kept in a file that only this user can read, used again. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

interface Secrets {
  JWT_SECRET: string
  API_KEY: string
}

const make = () => randomBytes(32).toString('base64url')

/** The environment that gives gateways their secrets. What the caller's own environment sets stays as it is. */
export function keptSecrets(file: string): Partial<Secrets> {
  if (!existsSync(file)) {
    const made: Secrets = { JWT_SECRET: make(), API_KEY: make() }
    writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  }
  const { JWT_SECRET, API_KEY } = JSON.parse(readFileSync(file, 'utf8')) as Secrets
  const { env } = process
  return {
    ...(env['JWT_SECRET'] || env['JWKS_URL'] ? {} : { JWT_SECRET }),
    ...(env['API_KEY'] ? {} : { API_KEY }),
  }
}
