/**
 * Every setting of a gateway: its name, default, unit, meaning and how its text is read.
 * `config.ts` reads the environment with this table; `docs/configuration.md` is made from it.
 */

import { isId } from '@starling/protocol/ids'
import * as limits from '@starling/protocol/limits'
import type { Origins } from './lib/origins.ts'
import type { ChannelWriters } from './services/ports.ts'

/** How a setting's text becomes a value; throws an Error that says what is wrong with it. */
type Parse<T> = (text: string) => T

export interface Setting<T> {
  /** The text that stands for an unset variable; undefined where unset means off. */
  default: string | undefined
  unit?: string
  about: string
  parse: Parse<T>
}

const setting = <T>(
  parse: Parse<T>,
  fallback: string | number | undefined,
  about: string,
  unit?: string,
): Setting<T> => ({
  parse,
  default: fallback === undefined ? undefined : String(fallback),
  about,
  ...(unit !== undefined && { unit }),
})

function fail(message: string): never {
  throw new Error(message)
}

const integer =
  (min: number, max = Number.MAX_SAFE_INTEGER): Parse<number> =>
  (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value
    return fail(
      max === Number.MAX_SAFE_INTEGER
        ? `must be an integer of at least ${min}`
        : `must be an integer from ${min} to ${max}`,
    )
  }

const text: Parse<string> = (value) => value

const oneOf =
  <const T extends string>(...options: T[]): Parse<T> =>
  (value) =>
    options.find((option) => option === value) ?? fail(`must be one of ${options.join(', ')}`)

const atLeastBytes =
  (min: number): Parse<string> =>
  (value) =>
    Buffer.byteLength(value) >= min ? value : fail(`must have at least ${min} bytes`)

const flag: Parse<boolean> = (value) => {
  const word = value.toLowerCase()
  if (['1', 'true', 'on', 'yes'].includes(word)) return true
  if (['0', 'false', 'off', 'no'].includes(word)) return false
  return fail('must be on or off')
}

const httpUrl: Parse<URL> = (value) => {
  const url = URL.parse(value)
  return url && /^https?:$/.test(url.protocol) ? url : fail('must be an http or https URL')
}

const id: Parse<string> = (value) => (isId(value) ? value : fail('must be 1 to 64 of A-Z a-z 0-9 _ . -'))

/** Where Redis is. */
export type RedisTarget =
  | {
      kind: 'single'
      host: string
      port: number
      db: number
      tls: boolean
      username?: string
      password?: string
    }
  | { kind: 'cluster'; nodes: HostPort[]; username?: string; password?: string }
  | { kind: 'sentinel'; sentinels: HostPort[]; master: string; username?: string; password?: string }

export interface HostPort {
  host: string
  port: number
}

function hostPorts(list: string, defaultPort: number): HostPort[] {
  return list.split(',').map((item) => {
    const url = URL.parse(`redis://${item.trim()}`)
    if (!url?.hostname || url.pathname !== '') return fail(`has no host:port in "${item}"`)
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? defaultPort : Number(url.port),
    }
  })
}

const redisTarget: Parse<RedisTarget> = (value) => {
  const match = /^(rediss?|redis\+cluster|redis\+sentinel):\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?$/.exec(
    value,
  )
  if (!match) return fail('must be redis://, rediss://, redis+cluster:// or redis+sentinel://')
  const [, scheme, auth = '', hosts = '', path = ''] = match
  const [user, ...password] = auth.split(':')
  const credentials = {
    ...(user && { username: decodeURIComponent(user) }),
    ...(password.length > 0 && { password: decodeURIComponent(password.join(':')) }),
  }
  if (scheme === 'redis+cluster') return { kind: 'cluster', nodes: hostPorts(hosts, 6379), ...credentials }
  if (scheme === 'redis+sentinel') {
    if (path === '') return fail('must end in /<master name>')
    return { kind: 'sentinel', sentinels: hostPorts(hosts, 26379), master: path, ...credentials }
  }
  const nodes = hostPorts(hosts, 6379)
  const only = nodes[0]
  if (nodes.length !== 1 || !only)
    return fail('names several hosts: use redis+cluster:// or redis+sentinel://')
  if (!/^\d*$/.test(path)) return fail('must end in a database number')
  return { kind: 'single', ...only, db: Number(path), tls: scheme === 'rediss', ...credentials }
}

const channels: Parse<Map<string, ChannelWriters>> = (value) =>
  new Map(
    value
      .split(',')
      .filter((item) => item.trim() !== '')
      .map((item): [string, ChannelWriters] => {
        const [name = '', writers, more] = item.trim().split(':')
        if (!isId(name) || more !== undefined) return fail(`has no channel id in "${item}"`)
        if (writers !== undefined && writers !== 'server') return fail(`knows no writers "${writers}"`)
        return [name, writers ?? 'everybody']
      }),
  )

const origins: Parse<Origins> = (value) => {
  const list = value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  if (list.includes('*')) return 'any'
  return new Set(
    list.map((item) => {
      const url = URL.parse(item)
      return url && url.origin === item.replace(/\/$/, '') ? url.origin : fail(`has no origin in "${item}"`)
    }),
  )
}

export const SETTINGS = {
  HOST: setting(text, '0.0.0.0', 'Address to listen on.'),
  PORT: setting(integer(0, 65535), 8080, 'Port of WebSocket and HTTP; 0 takes a free one.'),
  PUBLISHED_ON: setting(
    text,
    undefined,
    'Address at which others reach this gateway, where a container or a proxy stands before it; unset is `HOST`. Secrets that start with `example-` are refused unless it is of this machine alone.',
  ),
  TCP_PORT: setting(integer(0, 65535), undefined, 'Port for frames over raw TCP; unset is off.'),
  REDIS_URL: setting(
    redisTarget,
    'redis://127.0.0.1:6379',
    '`redis://`, `rediss://`, `redis+cluster://h1:p1,h2:p2` or `redis+sentinel://h1:p1,h2:p2/<master name>`.',
  ),
  KEY_PREFIX: setting(
    (value) =>
      /^[\x21-\x7a|~]*$/.test(value) ? value : fail('must be printable ASCII without spaces and braces'),
    'im:',
    'What every key and channel starts with; two clusters may share a Redis under two prefixes.',
  ),
  NODE_NAME: setting(id, undefined, 'Name shown to clients; unset is the host’s name.'),
  AUTH: setting(
    oneOf('local', 'external'),
    'local',
    '`local`: accounts here. `external`: tokens from elsewhere only.',
  ),
  JWT_SECRET: setting(
    atLeastBytes(32),
    undefined,
    'Key of HS256 tokens. This or `JWKS_URL` is required.',
    'at least 32 bytes',
  ),
  JWKS_URL: setting(httpUrl, undefined, 'Public keys of RS256, ES256 and EdDSA tokens.'),
  JWT_ISSUER: setting(text, undefined, 'The `iss` a token must have; unset is unchecked.'),
  JWT_AUDIENCE: setting(text, undefined, 'The `aud` a token must have; unset is unchecked.'),
  API_KEY: setting(text, undefined, 'Key of the server endpoints; unset: they answer 403.'),
  CHANNELS: setting(
    channels,
    'lobby,announcements:server',
    'The channels, comma-separated. `:server` behind a name: only the server API writes there.',
  ),
  ALLOWED_ORIGINS: setting(
    origins,
    undefined,
    'Origins of browsers, comma-separated, `*` for any; unset: the same host.',
  ),
  TRUST_PROXY: setting(
    flag,
    'off',
    'Take the client’s address from the load balancer: PROXY protocol v2, else the last `X-Forwarded-For`.',
  ),
  TLS_CERT: setting(
    text,
    undefined,
    'File of the certificate chain (PEM), to serve TLS itself. Needs `TLS_KEY`.',
  ),
  TLS_KEY: setting(text, undefined, 'File of the private key (PEM).'),
  DURABILITY: setting(oneOf('async', 'replica'), 'async', '`replica`: wait for one replica before an ack.'),
  DRAIN_SECONDS: setting(integer(0, 3600), 10, 'Over how long clients are sent away on SIGTERM.', 's'),
  LOG_LEVEL: setting(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'JSON lines on stdout from this level on.',
  ),
  MAX_FRAME_BYTES: setting(
    integer(1024, limits.MAX_CLOSEABLE_FRAME_BYTES),
    limits.MAX_FRAME_BYTES,
    'Largest frame from a client.',
    'bytes',
  ),
  MAX_BODY_BYTES: setting(
    integer(16, limits.MAX_CLOSEABLE_FRAME_BYTES),
    limits.MAX_BODY_BYTES,
    'Largest message body, as JSON.',
    'bytes',
  ),
  MAX_BUFFER_BYTES: setting(
    integer(64 * 1024),
    1024 * 1024,
    'How much may wait for a slow client before it is closed with 4008.',
    'bytes',
  ),
  MAX_SESSIONS: setting(integer(1, 1000), 16, 'Connections of one user.'),
  MAX_CONNECTIONS: setting(integer(1), 100_000, 'Connections of this gateway; above it: HTTP 503.'),
  SEND_RATE: setting(integer(1), 50, 'Sends of one session that are refilled each second.', '1/s'),
  SEND_BURST: setting(integer(1), 200, 'Sends of one session at once.'),
  CONNECT_RATE: setting(
    integer(1),
    2000,
    'New connections of this gateway a second; above it: HTTP 503.',
    '1/s',
  ),
  RECALL_SECONDS: setting(integer(0), 120, 'How long one may take back one’s own message.', 's'),
  STRANGER_LIMIT: setting(
    integer(0),
    3,
    'Messages to one who neither follows nor has answered; 0 is no limit.',
  ),
  WATCH_ALL_MAX: setting(
    integer(0),
    10_000,
    'Users online above which watching everybody brings the total alone.',
  ),
  LOG_MAXLEN: setting(integer(1), 10_000, 'Messages kept in a conversation, about.'),
  INBOX_MAXLEN: setting(integer(1), 5_000, 'Entries kept in a user’s inbox, about.'),
  RETENTION_DAYS: setting(integer(1, 36_500), 30, 'How long a quiet log or inbox is kept.', 'days'),
} satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof SETTINGS
