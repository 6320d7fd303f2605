/**
 * A WebSocket client with nothing on top, cheap enough that a generator is not what is measured: all sockets of
 * a process read into one buffer, frames are handed on as places in it, texts go out with a mask of zeros, and what
 * one read causes goes out in one write. It knows what servers write here: unfragmented, uncompressed frames.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** One text frame; the bytes are only valid during the call. */
export type OnText = (data: Buffer, start: number, end: number, socket: LoadSocket) => void

const OPCODE = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const
const FIN = 0x80
const MASKED = 0x80
const NO_MASK = '\0\0\0\0'
const HEAD_END = '\r\n\r\n'
const READ_BYTES = 256 * 1024

/** Reading is synchronous, so one buffer serves all sockets. */
const shared = Buffer.allocUnsafe(READ_BYTES)

export class LoadSocket {
  readonly #socket: Socket
  readonly #onText: OnText
  readonly #onEnd: (why: string) => void
  readonly #upgraded = Promise.withResolvers<void>()
  #isOpen = false
  /** The beginning of a frame that has not come whole. */
  #rest: Buffer | undefined
  #closing = false
  #isReading = false
  /** What goes out when the read under way has been dealt with. */
  #pending = ''

  /**
   * Opens a connection.
   * @param onEnd called once if the connection ends without `close` having been called
   * @throws Error where it is refused
   */
  static async open(to: {
    port: number
    path: string
    subprotocol?: string | undefined
    /** The client's own address, for more connections than one address has ports. */
    localAddress?: string | undefined
    onText: OnText
    onEnd: (why: string) => void
  }): Promise<LoadSocket> {
    const socket = new LoadSocket(to)
    await socket.#upgraded.promise
    return socket
  }

  private constructor(to: Parameters<typeof LoadSocket.open>[0]) {
    this.#onText = to.onText
    this.#onEnd = to.onEnd
    this.#socket = connect({
      host: '127.0.0.1',
      port: to.port,
      ...(to.localAddress !== undefined && { localAddress: to.localAddress }),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (bytes) => {
          this.#read(bytes)
          return true
        },
      },
    })
    this.#socket.on('error', (fault) => this.#ended(fault.message))
    this.#socket.on('close', () => this.#ended('the line broke'))
    this.#socket.write(
      [
        `GET ${to.path} HTTP/1.1`,
        `Host: 127.0.0.1:${to.port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        ...(to.subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${to.subprotocol}`]),
        '',
        '',
      ].join('\r\n'),
    )
  }

  /** Sends a text of ASCII. */
  send(text: string): void {
    this.#write(OPCODE.text, text)
  }

  close(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  #write(opcode: number, text: string): void {
    const { length } = text
    const size =
      length < 126
        ? String.fromCharCode(MASKED | length)
        : String.fromCharCode(MASKED | 126, length >> 8, length & 0xff)
    this.#pending += String.fromCharCode(FIN | opcode) + size + NO_MASK + text
    if (!this.#isReading) this.#flush()
  }

  #flush(): void {
    if (this.#pending === '' || this.#closing) return
    this.#socket.write(this.#pending, 'latin1')
    this.#pending = ''
  }

  #ended(why: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#socket.destroy()
    this.#upgraded.reject(new Error(why))
    if (this.#isOpen) this.#onEnd(why)
  }

  /** Takes what lies in the shared buffer. */
  #read(bytes: number): void {
    const data = this.#rest ? Buffer.concat([this.#rest, shared.subarray(0, bytes)]) : shared
    const end = this.#rest ? data.length : bytes
    let at = this.#isOpen ? 0 : this.#readHead(data.subarray(0, end))
    this.#isReading = true
    while (this.#isOpen && !this.#closing) {
      const next = this.#readFrame(data, at, end)
      if (next === undefined) break
      at = next
    }
    this.#isReading = false
    this.#flush()
    this.#rest = at < end ? Buffer.from(data.subarray(at, end)) : undefined
  }

  /** @returns where the frames begin */
  #readHead(data: Buffer): number {
    const end = data.indexOf(HEAD_END)
    if (end < 0) return 0
    const status = data.toString('latin1', 0, data.indexOf('\r\n'))
    if (!status.includes(' 101 ')) {
      this.#ended(`the upgrade was refused: ${status}`)
      return data.length
    }
    this.#isOpen = true
    this.#upgraded.resolve()
    return end + HEAD_END.length
  }

  /** @returns where the next frame begins; undefined where this one has not come whole */
  #readFrame(data: Buffer, at: number, filled: number): number | undefined {
    if (filled < at + 2) return undefined
    let length = data[at + 1]!
    let start = at + 2
    if (length === 126) {
      if (filled < at + 4) return undefined
      length = data.readUInt16BE(at + 2)
      start = at + 4
    } else if (length === 127) {
      if (filled < at + 10) return undefined
      length = Number(data.readBigUInt64BE(at + 2))
      start = at + 10
    }
    const end = start + length
    if (filled < end) return undefined
    switch (data[at]) {
      case FIN | OPCODE.text:
        this.#onText(data, start, end, this)
        break
      case FIN | OPCODE.ping:
        this.#write(OPCODE.pong, data.toString('latin1', start, end))
        break
      case FIN | OPCODE.close:
        this.#ended(`closed with ${length >= 2 ? data.readUInt16BE(start) : 'no code'}`)
        break
      default:
        this.#ended(`a frame of unknown kind 0x${data[at]!.toString(16)}`)
    }
    return end
  }
}
