/**
 * The gateway's configuration: the one reader of the environment. All mistakes come in one message.
 */
import { hostname } from 'node:os'
import { isId } from '@starling/protocol/ids'
import { SETTINGS, type SettingName } from './settings.ts'

/** What the environment says, name by name; undefined where a setting without a default is unset. */
type Values = { [Name in SettingName]: ReturnType<(typeof SETTINGS)[Name]['parse']> | undefined }
type Required = Exclude<
  SettingName,
  | 'PUBLISHED_ON'
  | 'TCP_PORT'
  | 'JWT_SECRET'
  | 'JWKS_URL'
  | 'JWT_ISSUER'
  | 'JWT_AUDIENCE'
  | 'API_KEY'
  | 'TLS_CERT'
  | 'TLS_KEY'
  | 'ALLOWED_ORIGINS'
  | 'NODE_NAME'
>

export type Config = Readonly<
  Omit<Values, Required> & { [Name in Required]: NonNullable<Values[Name]> } & { NODE_NAME: string }
>

/** The environment can't be used; the message names every mistake, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Nobody but this machine itself gets there. */
const LOOPBACK = /^(127(\.\d{1,3}){3}|\[?::1\]?|localhost)$/

/** Secrets that stand in the project's own examples begin so: whoever reads them there could sign tokens. */
const EXAMPLE = 'example-'

/**
 * Reads the configuration.
 * @param env usually process.env; an empty variable counts as unset
 * @throws ConfigError that names every wrong or missing setting
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { default: fallback, parse }] of Object.entries(SETTINGS)) {
    const text = env[name] || fallback
    if (text === undefined) continue
    try {
      values[name] = parse(text)
    } catch (fault) {
      faults.push(`${name} ${(fault as Error).message}`)
    }
  }
  if (!env['JWT_SECRET'] && !env['JWKS_URL']) faults.push('JWT_SECRET or JWKS_URL is required')
  else if (!env['JWT_SECRET'] && values['AUTH'] === 'local') {
    faults.push('JWT_SECRET is required where AUTH is local: accounts need a key to sign their tokens')
  }
  if (!env['TLS_CERT'] !== !env['TLS_KEY']) faults.push('TLS_CERT and TLS_KEY are only of use together')
  if (!LOOPBACK.test(String(values['PUBLISHED_ON'] ?? values['HOST']))) {
    for (const name of ['JWT_SECRET', 'API_KEY'])
      if (env[name]?.startsWith(EXAMPLE))
        faults.push(`${name} is the one of the examples, which everybody can read: make your own`)
  }
  values['NODE_NAME'] ??= isId(hostname()) ? hostname() : 'gateway'
  if (faults.length > 0) throw new ConfigError(`cannot start:\n  ${faults.join('\n  ')}`)
  return values as unknown as Config
}
