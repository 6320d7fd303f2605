/**
 * A TCP line to a gateway's HTTP port on which anything can be said, byte by byte: requests cut short, WebSocket frames made
 * by hand. Knows as much of the protocol as is needed to open a WebSocket and to read how it was closed.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Gateway } from './harness-gateway.ts'

const CLOSE = 0x88
/** FIN, compressed, text. */
const COMPRESSED_TEXT = 0xc1
const MASKED = 0x80
const TWO_BYTES = 126
const EIGHT_BYTES = 127

export class RawLine {
  readonly socket: Socket
  /** Resolves when the line is gone. */
  readonly closed: Promise<unknown>
  #got: Buffer[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = once(socket, 'close').catch(() => {})
    socket.on('data', (chunk: Buffer) => this.#got.push(chunk))
    // Every error is followed by `close`, which is what tests look at.
    socket.on('error', () => {})
  }

  static async open(gateway: Gateway): Promise<RawLine> {
    const [host, port] = gateway.host.split(':')
    const line = new RawLine(connect(Number(port), host))
    await once(line.socket, 'connect')
    return line
  }

  /** Opens a WebSocket, on which nothing has been said yet. */
  static async webSocket(gateway: Gateway, headers = ''): Promise<RawLine> {
    const line = await RawLine.open(gateway)
    line.socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${gateway.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Protocol: starling.v1\r\n${headers}\r\n`,
    )
    await once(line.socket, 'data')
    if (!line.words.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade but ${line.words}`)
    line.#got = []
    return line
  }

  /** All that has come, as text. */
  get words(): string {
    return Buffer.concat(this.#got).toString('latin1')
  }

  /** The code of the close frame at the end of what came; undefined where there is none. */
  get closeCode(): number | undefined {
    const got = Buffer.concat(this.#got)
    const at = got.lastIndexOf(CLOSE)
    return at < 0 ? undefined : got.readUInt16BE(at + 2)
  }

  /** Sends compressed bytes as one text frame, masked with zeros. */
  sayCompressed(deflated: Buffer): void {
    const head = Buffer.alloc(deflated.length < 65_536 ? 8 : 14)
    head[0] = COMPRESSED_TEXT
    if (head.length === 8) {
      head[1] = MASKED | TWO_BYTES
      head.writeUInt16BE(deflated.length, 2)
    } else {
      head[1] = MASKED | EIGHT_BYTES
      head.writeBigUInt64BE(BigInt(deflated.length), 2)
    }
    this.socket.write(Buffer.concat([head, deflated]))
  }

  drop(): void {
    this.socket.destroy()
  }
}
