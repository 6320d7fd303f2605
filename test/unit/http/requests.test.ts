/** What a request must be like before anybody looks at what it wants, and what faults look like from outside. */
import { ERROR_CODES, type ErrorCode, ProtocolError } from '@starling/protocol/errors'
import { describe, expect, test } from 'vitest'
import { createMetrics } from '../../../src/lib/metrics.ts'
import type { Accounts } from '../../../src/services/accounts.ts'
import { API_KEY, bareApp, bearer } from './bare-app.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/** An app whose `GET /me` fails so. */
const failing = (fault: unknown) =>
  bareApp({
    accounts: {
      me: async () => {
        throw fault
      },
    } as unknown as Accounts,
  })

async function patchMe(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = JSON_TYPE) {
  const accounts = { update: async () => ({ id: 'alice', name: 'Alice' }) } as unknown as Accounts
  const response = await bareApp({ accounts }).ask('/api/v1/me', {
    method: 'PATCH',
    body,
    headers: { ...headers, ...(await bearer()) },
  })
  const answer = (await response.json()) as { error?: { code: string; field?: string } }
  return [response.status, answer.error?.code]
}

describe('a body', () => {
  test('is JSON by its content type, with or without a charset', async () => {
    expect(await patchMe('{}')).toEqual([200, undefined])
    expect(await patchMe('{}', { 'content-type': 'Application/JSON; charset=utf-8' })).toEqual([
      200,
      undefined,
    ])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
      expect(await patchMe('{}', { 'content-type': type })).toEqual([400, 'bad_request'])
    }
  })

  test('is UTF-8 and JSON', async () => {
    expect(await patchMe('{"name":')).toEqual([400, 'bad_request'])
    expect(await patchMe('')).toEqual([400, 'bad_request'])
    const latin1 = new Uint8Array(Buffer.from('{"name":"ä"}', 'latin1'))
    expect(await patchMe(latin1)).toEqual([400, 'bad_request'])
  })

  test('is 32 deep at most', async () => {
    const deep = (levels: number) => `{"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
    expect(await patchMe(deep(32))).toEqual([200, undefined])
    expect(await patchMe(deep(33))).toEqual([400, 'bad_request'])
    expect(await patchMe(deep(30_000))).toEqual([400, 'bad_request'])
  })

  test('is 64 KiB at most', async () => {
    const sized = (bytes: number) => `{"x":"${'x'.repeat(bytes - 8)}"}`
    expect(await patchMe(sized(65_536))).toEqual([200, undefined])
    expect(await patchMe(sized(65_537))).toEqual([413, 'too_large'])
  })

  test('is not looked at before the door is open', async () => {
    const { ask } = bareApp()
    const response = await ask('/api/v1/me', { method: 'PATCH', body: 'no JSON' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
  })
})

describe('a key', () => {
  test.each([
    ['Bearer', 401],
    [`Basic ${API_KEY}`, 401],
    [`Bearer ${API_KEY.toUpperCase()}`, 401],
    [`Bearer ${API_KEY} more`, 401],
    ['', 401],
  ])('"%s" is refused', async (authorization, status) => {
    const { ask } = bareApp({ config: { AUTH: 'local', API_KEY: 'key', ALLOWED_ORIGINS: undefined } })
    expect((await ask('/api/v1/stats', { headers: { authorization } })).status).toBe(status)
  })

  test('that is right opens, in any case of its scheme', async () => {
    const stats = { nodes: [], connections: 0, online: 0 }
    const { ask } = bareApp({
      config: { AUTH: 'local', API_KEY: 'key', ALLOWED_ORIGINS: undefined },
      cluster: { ready: () => true, stats: async () => stats },
    })
    for (const scheme of ['Bearer', 'bearer']) {
      const response = await ask('/api/v1/stats', { headers: { authorization: `${scheme} key` } })
      expect([response.status, await response.json()]).toEqual([200, stats])
    }
  })
})

describe('a refusal', () => {
  test.each(Object.entries(ERROR_CODES) as [ErrorCode, { status: number }][])(
    '%s has its status and tells code, field and retryIn',
    async (code, { status }) => {
      const { ask } = failing(new ProtocolError(code, 'why', { field: 'f', retryIn: 1_500 }))
      const response = await ask('/api/v1/me', { headers: await bearer() })
      expect(response.status).toBe(status)
      expect(response.headers.get('retry-after')).toBe('2')
      expect(await response.json()).toEqual({ error: { code, message: 'why', field: 'f', retryIn: 1_500 } })
    },
  )

  test('of our own making tells nothing of its cause', async () => {
    for (const fault of [new Error('secret'), new TypeError('secret')]) {
      const response = await failing(fault).ask('/api/v1/me', { headers: await bearer() })
      expect(response.status).toBe(500)
      expect(await response.text()).not.toContain('secret')
    }
  })
})

describe('push', () => {
  test('answers for each target, whatever became of the others', async () => {
    const fates = new Map<string, () => unknown>([
      ['user:ok', () => ({ conv: 'dm:ok:system', id: '1-1' })],
      ['user:dup', () => ({ conv: 'dm:dup:system', id: '1-1', dup: true })],
      ['user:__proto__', () => Promise.reject(new ProtocolError('blocked', 'why'))],
      ['user:bug', () => Promise.reject(new TypeError('secret'))],
    ])
    const app = bareApp({
      config: { AUTH: 'local', API_KEY: 'key', ALLOWED_ORIGINS: undefined },
      messaging: { send: async ({ to }) => (await fates.get(to)?.()) as never },
    })
    const sent = await app.ask('/api/v1/push', {
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: 'Bearer key' },
      body: JSON.stringify({ to: [...fates.keys()], body: { type: 'text', text: 'x' }, ref: 'r' }),
    })
    expect(await sent.json()).toEqual({
      results: [
        { to: 'user:ok', conv: 'dm:ok:system', id: '1-1' },
        { to: 'user:dup', conv: 'dm:dup:system', id: '1-1', dup: true },
        { to: 'user:__proto__', error: { code: 'blocked', message: 'why' } },
        { to: 'user:bug', error: { code: 'internal', message: expect.not.stringContaining('secret') } },
      ],
    })
  })
})

test('readiness follows the cluster, and says when to ask again', async () => {
  let isReady = true
  const { ask } = bareApp({ cluster: { ready: () => isReady, stats: async () => ({}) as never } })
  expect((await ask('/readyz')).status).toBe(200)
  isReady = false
  const response = await ask('/readyz')
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await ask('/healthz')).status).toBe(200)
})

test('requests are counted by route as declared, never by path', async () => {
  const metrics = createMetrics()
  const { ask } = bareApp({ metrics })
  await ask('/api/v1/groups/some-group')
  await ask('/api/v1/groups/another')
  await ask('/api/v1/nothing/here')
  await ask('/healthz')
  await ask('/healthz', { method: 'PROPFIND' })
  const { values } = await metrics.httpRequests.get()
  expect(values.map(({ labels, value }) => [labels.method, labels.route, labels.status, value])).toEqual([
    ['GET', '/api/v1/groups/:id', 401, 2],
    ['GET', 'none', 404, 1],
    ['GET', '/healthz', 200, 1],
    ['other', 'none', 404, 1],
  ])
})
