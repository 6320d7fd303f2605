/** Pages of browsers from here and from elsewhere. */
import { describe, expect, test } from 'vitest'
import type { Origins } from '../../../src/lib/origins.ts'
import { isAllowedOrigin } from '../../../src/lib/origins.ts'
import { bareApp } from './bare-app.ts'

const appFor = (ALLOWED_ORIGINS: Origins | undefined) =>
  bareApp({ config: { AUTH: 'local', API_KEY: undefined, ALLOWED_ORIGINS } })
const from = (origin: string) => ({ headers: { origin } })

test.each<[Origins | undefined, string, string, boolean]>([
  [undefined, 'https://chat.example', 'chat.example', true],
  [undefined, 'http://chat.example:8080', 'chat.example:8080', true],
  [undefined, 'https://chat.example', 'chat.example:443', true],
  [undefined, 'https://chat.example:8443', 'chat.example', false],
  [undefined, 'https://chat.example.evil.example', 'chat.example', false],
  [undefined, 'https://sub.chat.example', 'chat.example', false],
  [undefined, 'null', 'chat.example', false],
  [undefined, 'nonsense', 'nonsense', false],
  [undefined, '', 'chat.example', true],
  [new Set(['https://app.example']), 'https://app.example', 'chat.example', true],
  [new Set(['https://app.example']), 'http://app.example', 'chat.example', false],
  [new Set(['https://app.example']), 'https://chat.example', 'chat.example', false],
  ['any', 'null', 'chat.example', true],
])('under %s a page of %j at host %j: %s', (allowed, origin, host, isAllowed) => {
  expect(isAllowedOrigin(allowed, origin, host)).toBe(isAllowed)
})

describe('the API', () => {
  test('refuses foreign pages, on unknown paths and in preflights too', async () => {
    const { ask } = appFor(undefined)
    for (const path of ['/api/v1/me', '/api/v1/nothing']) {
      const response = await ask(path, from('https://evil.example'))
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, null])
      expect(await response.json()).toMatchObject({ error: { code: 'forbidden' } })
      expect((await ask(path, { ...from('https://evil.example'), method: 'OPTIONS' })).status).toBe(403)
    }
  })

  test('answers the preflight of an allowed page, and lets it read refusals', async () => {
    const { ask } = appFor(new Set(['https://app.example']))
    const preflight = await ask('/api/v1/me', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization, content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type/)
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    const refused = await ask('/api/v1/me', from('https://app.example'))
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      401,
      'https://app.example',
    ])
    expect(refused.headers.get('vary')).toMatch(/origin/i)
  })

  test('asks nobody without an origin', async () => {
    const response = await appFor(undefined).ask('/api/v1/me')
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([401, null])
  })
})
