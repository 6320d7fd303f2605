/** Frames over raw TCP: lines in and out, topics, ends; with a handler that only notes what it is told. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import type { Connection } from '../../../src/gateway/connection.ts'
import { TcpServer } from '../../../src/gateway/server-tcp.ts'

const MAX_FRAME_BYTES = 100

interface Taken {
  connection: Connection
  frames: string[]
  /** Resolves with the close code when it is over. */
  closed: Promise<number>
  closes: number
}

/** A server, and those it has let in. */
async function newServer({ room = (): boolean => true, maxBufferBytes = 64 * 1024 } = {}) {
  const taken: Taken[] = []
  const arrivals: ((one: Taken) => void)[] = []
  const server = new TcpServer({
    admit: room,
    maxFrameBytes: MAX_FRAME_BYTES,
    maxBufferBytes,
    tls: undefined,
    handler: {
      open(connection) {
        const { promise, resolve } = Promise.withResolvers<number>()
        const one: Taken = { connection, frames: [], closed: promise, closes: 0 }
        taken.push(one)
        arrivals.shift()?.(one)
        return {
          frame: (bytes) => one.frames.push(Buffer.from(bytes as Uint8Array).toString()),
          binary: () => {},
          closed: (code) => {
            one.closes += 1
            resolve(code)
          },
        }
      },
    },
  })
  const port = await server.listen('127.0.0.1', 0)
  onTestFinished(() => server.close())
  /** Connects a peer, and waits until the server has it. */
  async function arrive() {
    const arrival = new Promise<Taken>((resolve) => arrivals.push(resolve))
    const peer = newPeer(port)
    return { ...peer, one: await arrival }
  }
  return { server, port, taken, arrive }
}

function newPeer(port: number) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  const lines = createInterface(socket)[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value as string | undefined
  return { socket, next }
}

/** Waits until all that was written has been read on the other side: a mark comes back through it. */
async function settle(socket: Socket, one: Taken, next: () => Promise<string | undefined>): Promise<void> {
  socket.write('settle\n')
  while (!one.frames.includes('settle')) await new Promise((resolve) => setImmediate(resolve))
  one.connection.send('settled')
  expect(await next()).toBe('settled')
}

test('takes a line for a frame, however it is cut, with either end of line, and passes over empty ones', async () => {
  const { arrive } = await newServer()
  const { socket, one, next } = await arrive()
  socket.setNoDelay(true)
  for (const piece of ['{"a"', ':1}', '\n{"b":2}\r\n\n\r\n', '{"c":"é', '💡"}\n{"d"', ':4}\r', '\n']) {
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await settle(socket, one, next)
  expect(one.frames.slice(0, -1)).toEqual(['{"a":1}', '{"b":2}', '{"c":"é💡"}', '{"d":4}'])
})

test('takes a line up to the limit, and hands a longer one on to be refused before it has all come', async () => {
  const { arrive } = await newServer()
  const { socket, one } = await arrive()
  socket.write(`${'x'.repeat(MAX_FRAME_BYTES)}\r\n`)
  socket.write('y'.repeat(MAX_FRAME_BYTES + 2))
  while (one.frames.length < 2) await new Promise((resolve) => setImmediate(resolve))
  expect(one.frames[0]).toHaveLength(MAX_FRAME_BYTES)
  expect(one.frames[1]!.length).toBeGreaterThan(MAX_FRAME_BYTES)
})

test('closes on what is no UTF-8, with a last line that says so', async () => {
  const { arrive } = await newServer()
  const { socket, one, next } = await arrive()
  socket.write(Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]))
  expect(JSON.parse((await next())!)).toEqual({ op: 'close', code: 1007, reason: 'not UTF-8' })
  expect([await one.closed, one.frames]).toEqual([1007, []])
})

test('is over at its own end, once, whether or not the peer reads and goes', async () => {
  const { arrive, server } = await newServer()
  const { socket, one, next } = await arrive()
  one.connection.subscribe('group:g')
  one.connection.end(4003, 'session closed')
  one.connection.end(4008, 'too slow')
  expect(one.closes).toBe(1)
  expect(await one.closed).toBe(4003)
  expect(server.followers('group:g')).toBe(0)
  one.connection.send('too late')
  expect(JSON.parse((await next())!)).toMatchObject({ op: 'close', code: 4003 })
  socket.destroy()
  await once(socket, 'close')
  expect(one.closes).toBe(1)
})

test('is over as 1006 where the peer goes without a word', async () => {
  const { arrive, server } = await newServer()
  const { socket, one } = await arrive()
  one.connection.subscribe('channel:lobby')
  socket.resetAndDestroy()
  expect(await one.closed).toBe(1006)
  expect(server.followers('channel:lobby')).toBe(0)
})

test('turns away whom there is no room for, with a word, and outlives those who hang up on it', async () => {
  const { port, taken } = await newServer({ room: () => false })
  const { next, socket } = newPeer(port)
  expect(JSON.parse((await next())!)).toMatchObject({ op: 'close', code: 4013 })
  if (!socket.closed) await once(socket, 'close')
  const rude = Array.from({ length: 20 }, () => newPeer(port).socket)
  await Promise.all(
    rude.map(async (one) => {
      await once(one, 'connect')
      one.write('hello\n')
      one.resetAndDestroy()
    }),
  )
  expect(JSON.parse((await newPeer(port).next())!)).toMatchObject({ code: 4013 })
  expect(taken).toEqual([])
})

test('publishes to those who follow a topic, in order, and to nobody else', async () => {
  const { arrive, server } = await newServer()
  const [a, b] = [await arrive(), await arrive()]
  a.one.connection.subscribe('group:g')
  a.one.connection.subscribe('group:g')
  b.one.connection.subscribe('group:h')
  expect([server.followers('group:g'), server.followers('group:none')]).toEqual([1, 0])
  server.publish('group:g', 'one')
  server.publish('group:g', Buffer.from('two'))
  a.one.connection.unsubscribe('group:g')
  server.publish('group:g', 'three')
  server.publish('group:h', 'four')
  a.one.connection.send('last')
  expect([await a.next(), await a.next(), await a.next()]).toEqual(['one', 'two', 'last'])
  expect(await b.next()).toBe('four')
})

test('knows when all has gone out, however little it was, and waits for nobody who is gone', async () => {
  const { arrive } = await newServer()
  const { socket, one, next } = await arrive()
  one.connection.send('a few bytes')
  expect(one.connection.buffered()).toBeGreaterThan(0)
  await one.connection.drained()
  expect(one.connection.buffered()).toBe(0)
  expect(await next()).toBe('a few bytes')
  socket.pause()
  const frame = 'x'.repeat(16 * 1024)
  while (one.connection.buffered() < 64 * 1024) {
    one.connection.send(frame)
    await new Promise((resolve) => setImmediate(resolve))
  }
  let isDrained = false
  const drained = one.connection.drained().then(() => {
    isDrained = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isDrained).toBe(false)
  socket.resetAndDestroy()
  await drained
  await one.connection.drained()
  expect(await one.closed).toBe(1006)
})

test('closes one who does not read with 4008, and keeps no more for them than it may', async () => {
  const maxBufferBytes = 64 * 1024
  const { arrive, server } = await newServer({ maxBufferBytes })
  const { socket, one } = await arrive()
  socket.pause()
  one.connection.subscribe('group:g')
  const frame = 'x'.repeat(16 * 1024)
  for (let sent = 0; one.closes === 0 && sent < 10_000; sent++) server.publish('group:g', frame)
  expect(await one.closed).toBe(4008)
  expect(one.connection.buffered()).toBeLessThan(maxBufferBytes + 3 * frame.length)
})
