/** Requests made by hand to be taken for something else, and secrets guessed by machine. */

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { useWorld, worldFor } from '../support/harness.ts'
import type { ErrorAnswer } from '../support/harness-http.ts'
import { secondsFromNow, signToken } from '../support/harness-jwt.ts'
import { RawLine } from '../support/raw-line.ts'

const world = await useWorld({ gateways: 1 })
const { gw1 } = world
const anybody = world.http(() => undefined)

afterEach(async () => {
  expect(await gw1.status('/readyz')).toBe(200)
})

/** Says this on a line of its own, and ends it. @returns all that came back */
async function answerTo(request: string): Promise<string> {
  const line = await RawLine.open(gw1)
  line.socket.end(Buffer.from(request, 'latin1'))
  await line.closed
  return line.words
}

const GET_METRICS = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'

describe('a request', () => {
  test.each([
    [
      'of two lengths of its body',
      `POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${GET_METRICS}`,
    ],
    ['of a negative length', `POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${GET_METRICS}`],
    [
      'of a length beyond all numbers',
      `POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n${GET_METRICS}`,
    ],
    ['with a space before the colon', `GET /nothing HTTP/1.1\r\nHost : x\r\n\r\n`],
    ['with a header over two lines', `GET /nothing HTTP/1.1\r\nHost: x\r\nX: a\r\n b: c\r\n\r\n`],
    ['with bare line feeds', 'GET /metrics HTTP/1.1\nHost: x\n\n'],
    ['without a Host', 'GET /metrics HTTP/1.1\r\n\r\n'],
    ['of HTTP/1.0', 'GET /metrics HTTP/1.0\r\n\r\n'],
    ['to a proxy', 'GET http://127.0.0.1/metrics HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['for a tunnel', 'CONNECT 127.0.0.1:6379 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['that is TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['with more headers than fit', `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['with hundreds of headers', `GET /metrics HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(300)}\r\n`],
  ])('%s is not answered with anything but a refusal', async (_what, request) => {
    const words = await answerTo(request)
    expect(words).not.toMatch(/HTTP\/1\.1 [123]/)
    expect(words).not.toContain('starling_')
  })

  test.each([
    '/../../etc/passwd',
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '//etc/passwd',
    '/%2e%2e/package.json',
    '/..\\..\\package.json',
    '/package.json',
    '/src/main.ts',
    '/.env',
  ])('for %s gets no file that is none of the page', async (path) => {
    const words = await answerTo(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(words).not.toContain('root:')
    expect(words).not.toContain('"private"')
    expect(words).not.toContain('readConfig')
    expect(words).toMatch(/^HTTP\/1\.1 (404|400|200 OK[\s\S]*text\/html)/)
  })

  test('echoes nothing into its headers: neither an origin nor a path', async () => {
    const words = await answerTo(
      'GET /api/v1/me?x=%0d%0aX-Injected:1 HTTP/1.1\r\nHost: x\r\nOrigin: http://x%0d%0aX-Injected:1\r\n\r\n',
    )
    expect(words.split('\r\n\r\n')[0]).not.toContain('Injected')
  })

  test('with thousands of spaces in a header costs no more than another', async () => {
    const spaces = ' '.repeat(3_800)
    const headers = [
      `If-None-Match: x${spaces}x`,
      `Authorization: Bearer${spaces}x y`,
      `Origin: x${spaces}x`,
      `Content-Type: application/json${spaces}x`,
    ]
    const requests = headers.map((header) => `GET /api/v1/me HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
    const pages = headers.map((header) => `GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
    for (const request of [...requests, ...pages]) expect(await answerTo(request)).toMatch(/^HTTP\/1\.1 [24]/)
  })
})

describe('an origin', () => {
  const { host } = gw1
  test.each([
    'null',
    'https://evil.example',
    `http://${host}.evil.example`,
    `http://evil.example#${host}`,
    `http://evil.example/${host}`,
    `http://${host}@evil.example`,
    `http://x${host}`,
    `http://${host.replace('127.', '127.0.')}9`,
    'file://',
    'javascript:alert(1)',
    `${host}`,
    '*',
  ])('%s is foreign, on /ws and below /api alike', async (origin) => {
    const header = `Origin: ${origin}\r\n`
    await expect(RawLine.webSocket(gw1, header)).rejects.toThrow('403')
    const token = world.user('alice').token()
    const words = await answerTo(
      `GET /api/v1/me HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n${header}\r\n`,
    )
    expect(words).toMatch(/^HTTP\/1\.1 403/)
    expect(words.toLowerCase()).not.toContain('access-control-allow-origin')
  })
})

describe('a password', () => {
  test('guessed 1,000 times gets 10 answers, then none, right ones neither, and costs others nothing', {
    timeout: 60_000,
  }, async () => {
    const id = world.user('alice').id
    const password = 'correct horse battery staple'
    await anybody.post('/auth/register', { id, password })
    const bystander = await world.user('bystander').connect()
    const count = new Map<number, number>()
    for (let from = 0; from < 1_000; from += 100) {
      const guesses = Array.from({ length: 100 }, (_, n) =>
        anybody.post<ErrorAnswer>('/auth/login', { id, password: `guess ${from + n}` }),
      )
      for (const { status, body, headers } of await Promise.all(guesses)) {
        count.set(status, (count.get(status) ?? 0) + 1)
        if (status !== 429) continue
        expect(body.error).toMatchObject({ code: 'rate_limited', retryIn: expect.any(Number) })
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
      }
      await bystander.send(bystander, 'not disturbed')
    }
    expect(Object.fromEntries(count)).toEqual({ 401: 10, 429: 990 })
    expect((await anybody.post('/auth/login', { id, password })).status).toBe(429)
    expect(gw1.output).not.toContain('guess 1')
    expect(gw1.output).not.toContain(password)
  })
})

describe('a token whose header tells where its key is', () => {
  test('is refused, and nobody goes to look', async (context) => {
    const asked: string[] = []
    const trap = createServer((request, answer) => {
      asked.push(request.url ?? '')
      answer.end('{"keys":[]}')
    }).listen(0, '127.0.0.1')
    context.onTestFinished(() => void trap.close())
    await new Promise((resolve) => trap.once('listening', resolve))
    const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = publicKey.export({ format: 'jwk' })
    const env = { AUTH: 'external', JWT_SECRET: '', JWKS_URL: `${url}/the-right-one` }
    const external = await worldFor(context, { gateways: 1, env })
    const headers: object[] = [
      { jku: `${url}/jku` },
      { x5u: `${url}/x5u` },
      { jwk },
      { kid: `${url}/kid` },
      { kid: '../../etc/passwd' },
      { kid: "' OR 1=1 --" },
      { crit: ['b64'], b64: false },
      { crit: ['x'], x: 1 },
      { enc: 'A128GCM' },
    ]
    for (const one of [external, world]) {
      for (const header of headers) {
        for (const alg of ['RS256', 'HS256']) {
          const key = alg === 'HS256' ? JSON.stringify(jwk) : privateKey
          const token = signToken({ sub: 'mallory', exp: secondsFromNow(60) }, key, { ...header, alg })
          const answer = await one.http(() => token).get<ErrorAnswer>('/me')
          expect([header, alg, answer.status]).toEqual([header, alg, 401])
        }
      }
    }
    expect(new Set(asked)).toEqual(new Set(['/the-right-one']))
    // Tokens with keys that nobody knows don't make the gateway fetch the set each time.
    expect(asked.length).toBeLessThanOrEqual(2)
  })
})
