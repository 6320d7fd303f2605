/** What HAProxy is set to from outside: TLS, another proxy before it, limits for each address. And nginx in its place. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { talksEverywhere } from './suites/store.ts'
import { Stack } from './support/stack.ts'
import { until } from './support/until.ts'

const CONNECTIONS = 5
const REQUESTS = 60

/** Opens a socket as a client of this address, named by a proxy in between. @returns it, or the status it was refused with */
async function knock(url: string, address: string, ca?: Buffer): Promise<WebSocket | IncomingMessage> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, 'starling.v1', {
    headers: { 'X-Forwarded-For': address },
    ...(ca && { ca }),
  })
  const refused = once(socket, 'unexpected-response').then(([, answer]) => answer as IncomingMessage)
  return Promise.race([once(socket, 'open').then(() => socket), refused])
}

async function enter(url: string, address: string, ca?: Buffer): Promise<WebSocket> {
  const socket = await knock(url, address, ca)
  if (!(socket instanceof WebSocket)) throw new Error(`refused with ${socket.statusCode}`)
  return socket
}

/** Says hello and looks into the log of the gateway that answered. @returns the address it knows */
async function addressSeen(stack: Stack, socket: WebSocket): Promise<unknown> {
  socket.send(JSON.stringify({ op: 'hello', token: stack.token('traveller'), device: 'd' }))
  const [data] = (await once(socket, 'message')) as [Buffer]
  const { session, node } = JSON.parse(data.toString()) as { session: string; node: string }
  const entry = await until('the session in the log', 5_000, async () =>
    (await stack.log(node)).find((line) => line['session'] === session),
  )
  return entry['address']
}

describe('HAProxy', () => {
  const certs = mkdtempSync(join(tmpdir(), 'starling-certs-'))
  let ca: Buffer
  let stack: Stack

  /** Puts another one into the folder. @returns what clients have to trust */
  function newCertificate(): Buffer {
    const [key, cert] = [join(certs, 'key'), join(certs, 'cert')]
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const files = ['-keyout', key, '-out', cert]
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
      {
        stdio: 'ignore',
      },
    )
    const own = readFileSync(cert)
    writeFileSync(join(certs, 'site.pem'), Buffer.concat([own, readFileSync(key)]))
    for (const file of [key, cert]) rmSync(file)
    return own
  }

  beforeAll(async () => {
    ca = newCertificate()
    chmodSync(certs, 0o755)
    const env = {
      TLS_CERTS: certs,
      TRUSTED_PROXIES: '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16',
      CONNECTIONS_PER_ADDRESS: String(CONNECTIONS),
      REQUESTS_PER_ADDRESS: String(REQUESTS),
    }
    stack = await Stack.up({ env })
    await stack.balanced(3)
  })
  afterAll(async () => {
    await stack?.down()
    rmSync(certs, { recursive: true })
  })

  it('serves TLS by a mounted certificate, and sends plain HTTP there', async () => {
    const [page] = (await once(get(stack.tlsFront, { agent: new Agent({ ca }) }), 'response')) as [
      IncomingMessage,
    ]
    page.resume()
    expect(page).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
    const moved = await fetch(`${stack.front}/some/where?a=b`, { redirect: 'manual' })
    expect(moved.status).toBe(308)
    expect(moved.headers.get('location')).toBe(`${stack.tlsFront}/some/where?a=b`)
    const socket = await enter(stack.tlsFront, '203.0.113.1', ca)
    socket.terminate()
  })

  it('takes a renewed certificate without cutting a line', async () => {
    const socket = await enter(stack.tlsFront, '203.0.113.2', ca)
    const renewed = newCertificate()
    await stack.compose('kill', '--signal', 'USR2', 'haproxy')
    const later = await until('the new certificate', 30_000, () =>
      enter(stack.tlsFront, '203.0.113.3', renewed),
    )
    later.terminate()
    await expect(enter(stack.tlsFront, '203.0.113.3', ca)).rejects.toThrow(/certificate/)
    ca = renewed
    expect(await addressSeen(stack, socket)).toBe('203.0.113.2')
    socket.terminate()
    await stack.balanced(3)
  })

  it('believes a trusted proxy about who the client is', async () => {
    for (const address of ['203.0.113.7', '198.51.100.1, 203.0.113.8']) {
      const socket = await enter(stack.tlsFront, address, ca)
      expect(await addressSeen(stack, socket)).toBe(address.split(', ').at(-1))
      socket.terminate()
    }
  })

  it('holds the connections of one address to a limit, and no one else', async () => {
    const sockets: WebSocket[] = []
    for (let count = 0; count < CONNECTIONS; count++)
      sockets.push(await enter(stack.tlsFront, '203.0.113.20', ca))
    const refused = (await knock(stack.tlsFront, '203.0.113.20', ca)) as IncomingMessage
    expect(refused).toMatchObject({ statusCode: 503, headers: { 'retry-after': '10' } })
    const [body] = (await once(refused, 'data')) as [Buffer]
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: 'overloaded', retryIn: 10_000 } })
    sockets.push(await enter(stack.tlsFront, '203.0.113.21', ca))
    sockets[0]!.terminate()
    await until('room again', 5_000, async () => {
      const socket = await knock(stack.tlsFront, '203.0.113.20', ca)
      return socket instanceof WebSocket && sockets.push(socket) > 0
    })
    for (const socket of sockets) socket.terminate()
  })

  it('holds the requests of one address to a limit', async () => {
    const ask = async (address: string) => {
      const headers = { 'X-Forwarded-For': address }
      const request = get(`${stack.tlsFront}/readyz`, { agent: new Agent({ ca }), headers })
      const [answer] = (await once(request, 'response')) as [IncomingMessage]
      answer.resume()
      return answer.statusCode
    }
    const answers: (number | undefined)[] = []
    for (let count = 0; count <= REQUESTS; count++) answers.push(await ask('203.0.113.30'))
    expect(new Set(answers.slice(0, REQUESTS))).toEqual(new Set([200]))
    expect(answers.at(-1)).toBe(429)
    expect(await ask('203.0.113.31')).toBe(200)
  })
})

describe('nginx in its place', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await Stack.up({ files: ['deploy/nginx/compose.yaml'], services: ['nginx'] })
  })
  afterAll(() => stack?.down())

  it('leads to all gateways, and names the client', async () => {
    await talksEverywhere(stack)
    const socket = await enter(stack.front, '203.0.113.40')
    const address = await addressSeen(stack, socket)
    socket.terminate()
    // What the client says of itself is not passed on; the engine's own address is what came through the port.
    expect(address).toMatch(/^(\d+\.){3}1$/)
    expect(address).not.toBe('203.0.113.40')
    expect((await fetch(`${stack.front}/metrics`)).status).toBe(404)
  })
})
