/**
 * One raw TCP connection to a gateway: frames as lines. The end is told by the gateway's last line,
 * `{"op": "close", …}`, or counts as 1006 where none came.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ServerFrame } from '@starling/protocol/frames'
import { Client } from './harness-client.ts'

export class TcpClient extends Client {
  readonly socket: Socket
  #rest = ''
  #lastLine: { code: number; reason: string } | undefined

  protected constructor(socket: Socket) {
    super()
    this.socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => this.#read(chunk.toString()))
    socket.on('close', () => this.ended(this.#lastLine ?? { code: 1006, reason: '' }))
    // Every error is followed by `close`, which is what tests look at.
    socket.on('error', () => {})
  }

  static async open(port: number): Promise<TcpClient> {
    return TcpClient.over(connect(port, '127.0.0.1'), 'connect')
  }

  /** @param ready the event after which `socket` can be written to */
  static async over(socket: Socket, ready: 'connect' | 'secureConnect'): Promise<TcpClient> {
    const client = new TcpClient(socket)
    await once(socket, ready)
    return client
  }

  /** Sends a value as one line, a string or bytes as they are, without a line's end. */
  say(frame: object | string | Buffer): void {
    this.socket.write(
      typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : `${JSON.stringify(frame)}\n`,
    )
  }

  async close(): Promise<void> {
    this.socket.end()
    await this.closed
  }

  drop(): void {
    this.socket.destroy()
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const frame = JSON.parse(line) as ServerFrame | { op: 'close'; code: number; reason?: string }
      if (frame.op === 'close') this.#lastLine = { code: frame.code, reason: frame.reason ?? '' }
      else this.arrived(frame)
    }
  }
}
