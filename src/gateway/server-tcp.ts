/**
 * Frames over raw TCP, one a line, for clients without a WebSocket. A socket becomes a Connection like any other;
 * topics are kept here, since there is no native fan-out.
 */
import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { CLOSE_CODES, type CloseCode } from '@starling/protocol/close'
import { IDLE_TIMEOUT_MS } from '@starling/protocol/limits'
import type { Connection, ConnectionHandler, Receiver, TopicPublisher } from './connection.ts'

export interface TcpServerOptions {
  handler: ConnectionHandler
  /** @returns whether there is room for one more */
  admit: () => boolean
  maxFrameBytes: number
  /** Bytes that may wait for a peer. */
  maxBufferBytes: number
  tls: { cert: string; key: string } | undefined
}

const NEWLINE = 0x0a
const RETURN = 0x0d
/** How long a peer may take to read its last lines after a close, ms. */
const LINGER_MS = 5_000

class TcpConnection implements Connection {
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #topics: Topics
  readonly #maxBufferBytes: number
  /** The topics this connection follows. */
  readonly followed = new Set<string>()
  /** Called once, when it is over for us: at our own end already, though the peer may still read its last line. */
  onEnd: (code: number) => void = () => {}
  /** What we have closed it with. */
  endCode: CloseCode | undefined
  /** Bytes of a line that has not ended yet. */
  #partial: Buffer[] = []
  #partialBytes = 0

  constructor(socket: Socket, topics: Topics, maxBufferBytes: number) {
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#socket = socket
    this.#topics = topics
    this.#maxBufferBytes = maxBufferBytes
  }

  send(frame: string | Uint8Array): void {
    if (this.endCode !== undefined) return
    if (this.#socket.writableLength > this.#maxBufferBytes) return this.end(4008, CLOSE_CODES[4008].name)
    this.#socket.cork()
    this.#socket.write(frame)
    this.#socket.write('\n')
    process.nextTick(() => this.#socket.uncork())
  }

  buffered(): number {
    return this.#socket.writableLength
  }

  subscribe(topic: string): void {
    this.#topics.add(topic, this)
  }

  unsubscribe(topic: string): void {
    this.#topics.remove(topic, this)
  }

  end(code: CloseCode, reason: string): void {
    if (this.endCode !== undefined) return
    this.endCode = code
    this.#socket.end(`${JSON.stringify({ op: 'close', code, reason })}\n`)
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
    this.#topics.forget(this)
    this.onEnd(code)
  }

  /** The socket is gone. */
  gone(): void {
    if (this.endCode !== undefined) return
    this.endCode = 1006
    this.#topics.forget(this)
    this.onEnd(1006)
  }

  drained(): Promise<void> {
    if (this.buffered() === 0 || this.endCode !== undefined) return Promise.resolve()
    // `drain` is only for who was told to wait, by a write beyond a mark. What is written last is called back for last,
    // at the socket's end at the latest.
    return new Promise((resolve) => this.#socket.write('', () => resolve()))
  }

  /** Cuts what comes in into lines. A line over the limit is passed on cut off, for the handler to refuse. */
  read(chunk: Buffer, maxFrameBytes: number, receiver: Receiver): void {
    let start = 0
    while (start < chunk.length && this.endCode === undefined) {
      const end = chunk.indexOf(NEWLINE, start)
      const piece = chunk.subarray(start, end < 0 ? undefined : end)
      this.#partial.push(piece)
      this.#partialBytes += piece.length
      const isTooLong = this.#partialBytes > maxFrameBytes + 1 // one for a carriage return
      if (end < 0 && !isTooLong) return
      const line = this.#partial.length === 1 ? piece : Buffer.concat(this.#partial)
      this.#partial = []
      this.#partialBytes = 0
      const frame = line.at(-1) === RETURN ? line.subarray(0, -1) : line
      if (frame.length <= maxFrameBytes && !isUtf8(frame)) this.end(1007, 'not UTF-8')
      else if (frame.length > 0) receiver.frame(frame)
      if (end < 0) return
      start = end + 1
    }
  }
}

const NOBODY: ReadonlySet<TcpConnection> = new Set()

/** Which connections follow which topic. */
class Topics {
  readonly #followers = new Map<string, Set<TcpConnection>>()

  add(topic: string, connection: TcpConnection): void {
    connection.followed.add(topic)
    const followers = this.#followers.get(topic)
    if (followers) followers.add(connection)
    else this.#followers.set(topic, new Set([connection]))
  }

  remove(topic: string, connection: TcpConnection): void {
    connection.followed.delete(topic)
    const followers = this.#followers.get(topic)
    followers?.delete(connection)
    if (followers?.size === 0) this.#followers.delete(topic)
  }

  forget(connection: TcpConnection): void {
    for (const topic of connection.followed) this.remove(topic, connection)
  }

  of(topic: string): ReadonlySet<TcpConnection> {
    return this.#followers.get(topic) ?? NOBODY
  }
}

export class TcpServer implements TopicPublisher {
  readonly #server: Server
  readonly #topics = new Topics()
  readonly #sockets = new Set<Socket>()

  constructor(options: TcpServerOptions) {
    const accept = (socket: Socket) => this.#accept(socket, options)
    this.#server = options.tls
      ? createTlsServer({ cert: readFileSync(options.tls.cert), key: readFileSync(options.tls.key) }, accept)
      : createServer(accept)
  }

  publish(topic: string, frame: string | Uint8Array): void {
    for (const connection of this.#topics.of(topic)) connection.send(frame)
  }

  /** @returns how many sockets follow a topic */
  followers(topic: string): number {
    return this.#topics.of(topic).size
  }

  /** @returns the port it listens on @throws Error where it can't */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        resolve(typeof address === 'object' && address ? address.port : port)
      })
    })
  }

  stopListening(): void {
    this.#server.close()
  }

  close(): void {
    this.stopListening()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket, { handler, admit, maxFrameBytes, maxBufferBytes }: TcpServerOptions): void {
    socket.on('error', () => socket.destroy()) // `close` follows and is what counts
    if (!admit()) {
      socket.write(`${JSON.stringify({ op: 'close', code: 4013, reason: 'no room here now' })}\n`)
      socket.destroySoon()
      return
    }
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    const connection = new TcpConnection(socket, this.#topics, maxBufferBytes)
    const receiver = handler.open(connection)
    connection.onEnd = (code) => receiver.closed(code)
    const idle = setTimeout(() => socket.destroy(), IDLE_TIMEOUT_MS)
    socket.on('data', (chunk: Buffer) => {
      idle.refresh()
      connection.read(chunk, maxFrameBytes, receiver)
    })
    socket.on('close', () => {
      clearTimeout(idle)
      this.#sockets.delete(socket)
      connection.gone()
    })
  }
}
