/** HTTP through a real server: what a client's socket does, and what it gets. The app is a function of the test. */

import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Fetch, serveHttp } from '../../../src/gateway/uws-http.ts'

let port = 0
let answer: Fetch = () => new Response('unset')
const seen: { method: string; url: string; body: string; remoteAddress: string }[] = []

const app = App().any('/*', (res, req) => {
  void serveHttp(res, req, (request, bindings) => answer(request, bindings), {
    remoteAddress: '203.0.113.7',
    tls: false,
  })
})
let listening: Parameters<typeof us_listen_socket_close>[0]

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (!socket) throw new Error('no port')
      listening = socket
      port = us_socket_local_port(socket as never)
      resolve()
    })
  })
})
afterAll(() => us_listen_socket_close(listening))

beforeEach(() => {
  seen.length = 0
  answer = async (request, { remoteAddress }) => {
    const body = await request.text()
    seen.push({ method: request.method, url: request.url, body, remoteAddress })
    return new Response(`${request.method} ${body}`, { status: 201, headers: { 'x-one': '1' } })
  }
})

const url = (path: string) => `http://127.0.0.1:${port}${path}`

async function open(): Promise<Socket & { got: string }> {
  const socket = Object.assign(connect(port, '127.0.0.1').setEncoding('utf8'), { got: '' })
  socket.on('data', (words) => {
    socket.got += words
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

describe('a request', () => {
  test('comes with method, path, query, headers, body and address, and the answer goes back', async () => {
    const response = await fetch(url('/a/b?c=d%20e'), { method: 'POST', body: 'hällo' })
    expect([response.status, response.headers.get('x-one'), await response.text()]).toEqual([
      201,
      '1',
      'POST hällo',
    ])
    expect(seen).toEqual([
      { method: 'POST', url: 'http://gateway/a/b?c=d%20e', body: 'hällo', remoteAddress: '203.0.113.7' },
    ])
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s without a body is answered',
    async (method) => {
      const response = await fetch(url('/'), { method })
      expect(await response.text()).toBe(`${method} `)
    },
  )

  test('in pieces is put together', async () => {
    const socket = await open()
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')
    await new Promise((resolve) => setImmediate(resolve))
    socket.write('defghij')
    await expect.poll(() => socket.got).toContain('POST abcdefghij')
    socket.destroy()
  })

  test('with chunked encoding is put together', async () => {
    const socket = await open()
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    )
    await expect.poll(() => socket.got).toContain('POST abcde')
    socket.destroy()
  })

  test('of 64 KiB is taken, and one byte more fails for who reads it, with an answer', async () => {
    answer = async (request) => {
      try {
        return new Response(String((await request.arrayBuffer()).byteLength))
      } catch (fault) {
        return Response.json({ fault: (fault as { code?: string }).code }, { status: 413 })
      }
    }
    const most = await fetch(url('/'), { method: 'POST', body: 'x'.repeat(65_536) })
    expect(await most.text()).toBe('65536')
    const more = await fetch(url('/'), { method: 'POST', body: 'x'.repeat(65_537) })
    expect([more.status, await more.json()]).toEqual([413, { fault: 'too_large' }])
    const chunks = async function* () {
      for (let n = 0; n < 40; n++) yield new Uint8Array(4_096)
    }
    const streamed = { method: 'POST', body: ReadableStream.from(chunks()), duplex: 'half' as const }
    expect((await fetch(url('/'), streamed)).status).toBe(413)
  })

  test('that is too large does not matter to who does not read it', async () => {
    answer = () => new Response('no', { status: 401 })
    expect((await fetch(url('/'), { method: 'POST', body: 'x'.repeat(300_000) })).status).toBe(401)
  })

  test('whose client goes before its body has come never reaches the app', async () => {
    const socket = await open()
    socket.write('POST /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')
    await new Promise((resolve) => setImmediate(resolve))
    socket.destroy()
    await fetch(url('/after'), { method: 'POST', body: 'x' })
    expect(seen.map(({ url }) => new URL(url).pathname)).toEqual(['/after'])
  })

  test('whose client goes before the answer does no harm', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    answer = async () => {
      ask()
      await released
      return new Response('late')
    }
    const socket = await open()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await asked
    const gone = once(socket, 'close')
    socket.destroy()
    await gone
    release()
    answer = () => new Response('fine')
    expect(await (await fetch(url('/'))).text()).toBe('fine')
  })

  test('that HTTP keeps for itself is a bad request', async () => {
    const socket = await open()
    socket.write('TRACE / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    await expect.poll(() => socket.got).toContain('400 Bad Request')
    expect(socket.got).toContain('"code":"bad_request"')
    socket.destroy()
  })

  test('whose body comes too slowly is cut off after 10 s', { timeout: 20_000 }, async () => {
    const socket = await open()
    const since = Date.now()
    socket.write('POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
    const drip = setInterval(() => socket.write('x'), 500)
    await once(socket, 'close')
    clearInterval(drip)
    expect(Date.now() - since).toBeGreaterThan(8_000)
    expect(Date.now() - since).toBeLessThan(15_000)
    expect(seen).toEqual([])
  })
})

describe('an answer', () => {
  test('to HEAD has its length and no body', async () => {
    answer = () => new Response('twelve bytes')
    const response = await fetch(url('/'), { method: 'HEAD' })
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['12', ''])
  })

  test('204 has neither', async () => {
    answer = () => new Response(null, { status: 204 })
    const response = await fetch(url('/'), { method: 'DELETE' })
    expect([response.status, response.headers.get('content-length')]).toEqual([204, null])
  })

  test('that is much larger than a socket buffer arrives whole, however slowly it is read', async () => {
    const bytes = new Uint8Array(20_000_000).map((_, index) => index % 251)
    answer = () => new Response(bytes)
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (chunks.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      if (size > bytes.length) break
    }
    const whole = Buffer.concat(chunks)
    const body = whole.subarray(whole.indexOf('\r\n\r\n') + 4)
    expect(body.length).toBe(bytes.length)
    expect(body.equals(bytes)).toBe(true)
    socket.destroy()
  })

  test('of an app that throws is an internal error, and the server goes on', async () => {
    answer = () => {
      throw new Error('boom')
    }
    const response = await fetch(url('/'))
    expect([response.status, await response.json()]).toMatchObject([500, { error: { code: 'internal' } }])
    expect(JSON.stringify(await (await fetch(url('/'))).json())).not.toContain('boom')
  })

  test('leaves the connection for the next request', async () => {
    const socket = await open()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => socket.got.split('HTTP/1.1 201').length).toBe(2)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz')
    await expect.poll(() => socket.got).toContain('POST z')
    socket.destroy()
  })
})
