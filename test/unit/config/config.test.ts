/** Every setting's good and wrong values, and that all mistakes come in one message. */
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { type Config, ConfigError, readConfig } from '../../../src/config.ts'
import { SETTINGS, type SettingName } from '../../../src/settings.ts'

const SECRET = 'x'.repeat(32)
const read = (env: Record<string, string | undefined>) => readConfig({ JWT_SECRET: SECRET, ...env })
const faultOf = (env: Record<string, string | undefined>): string => {
  try {
    readConfig(env)
  } catch (fault) {
    if (fault instanceof ConfigError) return fault.message
    throw fault
  }
  throw new Error('it was taken')
}

const integers = {
  good: [['17', 17]],
  bad: ['-1', '1.5', '1e3', ' 7', '0x10', 'ten', '9007199254740992'],
} as const
type Values = { good: readonly (readonly [text: string, value: unknown])[]; bad: readonly string[] }

const single = (more: object) => ({ kind: 'single', host: 'h', port: 6379, db: 0, tls: false, ...more })

const VALUES: Record<SettingName, Values> = {
  HOST: { good: [['::1', '::1']], bad: [] },
  PORT: {
    good: [
      ['0', 0],
      ['65535', 65535],
    ],
    bad: ['65536', ...integers.bad],
  },
  PUBLISHED_ON: { good: [['10.0.0.7', '10.0.0.7']], bad: [] },
  TCP_PORT: { good: [['9000', 9000]], bad: ['65536', 'off', '80.5'] },
  REDIS_URL: {
    good: [
      ['redis://h', single({})],
      ['redis://h:7000/3', single({ port: 7000, db: 3 })],
      ['rediss://h', single({ tls: true })],
      ['redis://u%40:p%3Aq:r@h', single({ username: 'u@', password: 'p:q:r' })],
      ['redis://:p@[::1]:7000', single({ host: '::1', port: 7000, password: 'p' })],
      [
        'redis+cluster://a:1,b',
        {
          kind: 'cluster',
          nodes: [
            { host: 'a', port: 1 },
            { host: 'b', port: 6379 },
          ],
        },
      ],
      [
        'redis+sentinel://:p@a,b:2/main',
        {
          kind: 'sentinel',
          sentinels: [
            { host: 'a', port: 26379 },
            { host: 'b', port: 2 },
          ],
          master: 'main',
          password: 'p',
        },
      ],
    ],
    bad: [
      'nonsense',
      'http://h',
      'redis://',
      'redis://h:port',
      'redis://a,b',
      'redis://h/zero',
      'redis://h:70000',
      'redis+cluster://',
      'redis+cluster://a,,b',
      'redis+sentinel://a',
      'redis://%@h',
    ],
  },
  KEY_PREFIX: { good: [['t1:', 't1:']], bad: ['a{b', 'a}b'] },
  NODE_NAME: { good: [['gw-1.eu', 'gw-1.eu']], bad: ['gw 1', '..', 'x'.repeat(65)] },
  AUTH: {
    good: [
      ['local', 'local'],
      ['external', 'external'],
    ],
    bad: ['both', 'LOCAL'],
  },
  JWT_SECRET: { good: [['é'.repeat(16), 'é'.repeat(16)]], bad: ['x'.repeat(31)] },
  JWKS_URL: {
    good: [['https://id.example/keys', new URL('https://id.example/keys')]],
    bad: ['keys', 'file:///k'],
  },
  JWT_ISSUER: { good: [['me', 'me']], bad: [] },
  JWT_AUDIENCE: { good: [['you', 'you']], bad: [] },
  API_KEY: { good: [['key', 'key']], bad: [] },
  CHANNELS: {
    good: [
      ['lobby', new Map([['lobby', 'everybody']])],
      [
        'a, b:server ,',
        new Map([
          ['a', 'everybody'],
          ['b', 'server'],
        ]),
      ],
      ['__proto__', new Map([['__proto__', 'everybody']])],
    ],
    bad: ['a b', '..', 'a:nobody', 'a:server:x', ':server'],
  },
  ALLOWED_ORIGINS: {
    good: [
      ['*', 'any'],
      ['https://a.example, *', 'any'],
      ['https://a.example/, http://b:81', new Set(['https://a.example', 'http://b:81'])],
    ],
    bad: ['a.example', 'https://a.example/path', 'null'],
  },
  TRUST_PROXY: {
    good: [
      ['on', true],
      ['TRUE', true],
      ['0', false],
      ['off', false],
    ],
    bad: ['maybe', '2'],
  },
  TLS_CERT: { good: [], bad: [] },
  TLS_KEY: { good: [], bad: [] },
  DURABILITY: { good: [['replica', 'replica']], bad: ['always'] },
  DRAIN_SECONDS: { good: [['0', 0]], bad: ['soon', '-1', '3601'] },
  LOG_LEVEL: { good: [['silent', 'silent']], bad: ['loud', 'INFO'] },
  MAX_FRAME_BYTES: {
    good: [
      ['1024', 1024],
      ['1048576', 1_048_576],
    ],
    bad: ['1023', '1048577', '64k'],
  },
  MAX_BODY_BYTES: { good: [['16', 16]], bad: ['15', '1048577'] },
  MAX_BUFFER_BYTES: { good: [['65536', 65536]], bad: ['65535'] },
  MAX_SESSIONS: { good: [['1', 1]], bad: ['0', '1001'] },
  MAX_CONNECTIONS: { good: integers.good, bad: ['0', ...integers.bad] },
  SEND_RATE: { good: integers.good, bad: ['0', ...integers.bad] },
  SEND_BURST: { good: integers.good, bad: ['0', ...integers.bad] },
  CONNECT_RATE: { good: integers.good, bad: ['0', ...integers.bad] },
  RECALL_SECONDS: { good: [['0', 0]], bad: integers.bad },
  STRANGER_LIMIT: { good: [['0', 0]], bad: integers.bad },
  WATCH_ALL_MAX: { good: [['0', 0]], bad: integers.bad },
  LOG_MAXLEN: { good: integers.good, bad: ['0', ...integers.bad] },
  INBOX_MAXLEN: { good: integers.good, bad: ['0', ...integers.bad] },
  RETENTION_DAYS: { good: integers.good, bad: ['0', '36501', ...integers.bad] },
}

const names = Object.keys(SETTINGS) as SettingName[]
const valueFor = (name: SettingName, text: string) =>
  (read({ [name]: text }) as Record<SettingName, unknown>)[name]

const GOOD = names.flatMap((name) => VALUES[name].good.map(([text, value]) => ({ name, text, value })))
const BAD = names.flatMap((name) => VALUES[name].bad.map((text) => ({ name, text })))

test.each(GOOD)('$name may be "$text"', ({ name, text, value }) =>
  expect(valueFor(name, text)).toEqual(value),
)

test.each(BAD)('$name may not be "$text", and is named', ({ name, text }) => {
  const message = faultOf({ JWT_SECRET: SECRET, [name]: text })
  expect(message.split('\n')).toHaveLength(2)
  expect(message).toMatch(new RegExp(`^ {2}${name} `, 'm'))
})

describe('defaults', () => {
  const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')

  it('are enough with a secret alone', () => {
    const { NODE_NAME, JWT_SECRET, ...config } = read({})
    expect(NODE_NAME).toMatch(/^[\w.-]{1,64}$/)
    expect(JWT_SECRET).toBe(SECRET)
    expect(config).toEqual({
      HOST: '0.0.0.0',
      PORT: 8080,
      REDIS_URL: { kind: 'single', host: '127.0.0.1', port: 6379, db: 0, tls: false },
      KEY_PREFIX: 'im:',
      AUTH: 'local',
      CHANNELS: new Map([
        ['lobby', 'everybody'],
        ['announcements', 'server'],
      ]),
      TRUST_PROXY: false,
      DURABILITY: 'async',
      DRAIN_SECONDS: 10,
      LOG_LEVEL: 'info',
      MAX_FRAME_BYTES: 65_536,
      MAX_BODY_BYTES: 16_384,
      MAX_BUFFER_BYTES: 1_048_576,
      MAX_SESSIONS: 16,
      MAX_CONNECTIONS: 100_000,
      SEND_RATE: 50,
      SEND_BURST: 200,
      CONNECT_RATE: 2000,
      RECALL_SECONDS: 120,
      STRANGER_LIMIT: 3,
      WATCH_ALL_MAX: 10_000,
      LOG_MAXLEN: 10_000,
      INBOX_MAXLEN: 5_000,
      RETENTION_DAYS: 30,
    } satisfies Partial<Config>)
  })

  it('stand for variables that are set to nothing', () => {
    expect(read({ PORT: '', TCP_PORT: '', API_KEY: '' })).toEqual(read({}))
  })

  it('belong to the settings of the protocol page, all of them', () => {
    const start = page.indexOf('\n## 9. The process')
    const named = new Set(page.slice(start).match(/\b[A-Z]{2,}(?:_[A-Z]+)*\b/g))
    for (const name of names) expect(named).toContain(name)
  })
})

describe('mistakes', () => {
  it('come in one message, all of them, one a line', () => {
    const message = faultOf({ PORT: 'x', AUTH: 'y', REDIS_URL: 'z', SEND_RATE: 'many', TLS_CERT: 'c.pem' })
    const [first, ...lines] = message.split('\n')
    expect(first).toBe('cannot start:')
    for (const name of [
      'PORT',
      'AUTH',
      'REDIS_URL',
      'SEND_RATE',
      'JWT_SECRET or JWKS_URL',
      'TLS_CERT and TLS_KEY',
    ])
      expect(lines.filter((line) => line.startsWith(`  ${name} `))).toHaveLength(1)
    expect(lines).toHaveLength(6)
  })

  it('never repeat a secret', () => {
    const message = faultOf({ JWT_SECRET: 'my short secret', REDIS_URL: 'redis://:hidden@a,b' })
    expect(message).toContain('JWT_SECRET')
    expect(message).toContain('REDIS_URL')
    expect(message).not.toMatch(/my short secret|hidden/)
  })

  it('are a missing key, and accounts without a secret to sign their tokens with', () => {
    expect(faultOf({})).toContain('JWT_SECRET or JWKS_URL')
    expect(faultOf({ JWKS_URL: 'https://id.example/keys' })).toContain('JWT_SECRET')
    expect(readConfig({ JWKS_URL: 'https://id.example/keys', AUTH: 'external' }).JWT_SECRET).toBeUndefined()
  })

  it('are half of a pair', () => {
    expect(faultOf({ JWT_SECRET: SECRET, TLS_KEY: 'k.pem' })).toContain('TLS_CERT and TLS_KEY')
    expect(read({ TLS_KEY: 'k.pem', TLS_CERT: 'c.pem' })).toMatchObject({
      TLS_KEY: 'k.pem',
      TLS_CERT: 'c.pem',
    })
  })
  describe('are the secrets of the examples', () => {
    const files = ['.env.example', 'compose.yaml']
    const text = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
    const secrets = files.flatMap((file) =>
      [...text(file).matchAll(/(JWT_SECRET|API_KEY)[=-](example-[\w-]+)/g)].map(([, name = '', secret]) => ({
        file,
        name,
        env: { JWT_SECRET: SECRET, [name]: secret },
      })),
    )

    it('which are two in each', () =>
      expect(secrets.map(({ file, name }) => `${file} ${name}`).sort()).toEqual(
        files.flatMap((file) => [`${file} API_KEY`, `${file} JWT_SECRET`]).sort(),
      ))

    it.each(secrets)('$name of $file, where others can reach the gateway', ({ name, env }) => {
      for (const address of [{}, { HOST: '10.0.0.7' }, { HOST: '127.0.0.1', PUBLISHED_ON: '0.0.0.0' }])
        expect(faultOf({ ...env, ...address })).toContain(`${name} is the one of the examples`)
    })

    it.each(secrets)('but not $name of $file where nobody can', ({ env }) => {
      for (const address of [{ HOST: '127.0.0.1' }, { HOST: '::1' }, { PUBLISHED_ON: '127.0.0.1' }])
        expect(readConfig({ ...env, ...address })).toMatchObject(address)
    })
  })
})
