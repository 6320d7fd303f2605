/**
 * One WebSocket to a gateway, frame by frame, with nothing done on the client's behalf: no hello, no sync,
 * no reconnect. What frames mean is left to harness.ts.
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ServerFrame } from '@starling/protocol/frames'
import { type ClientOptions, WebSocket } from 'ws'
import { Client } from './harness-client.ts'

const SUBPROTOCOL = 'starling.v1'

export interface WireOptions extends ClientOptions {
  /** Subprotocols to ask for; `starling.v1` where not given. */
  protocols?: string[]
}

/** An upgrade that the gateway answered with an HTTP status. */
export class UpgradeRefused extends Error {
  readonly status: number
  readonly headers: IncomingMessage['headers']

  constructor(answer: IncomingMessage) {
    super(`upgrade refused with ${answer.statusCode}`)
    this.status = answer.statusCode ?? 0
    this.headers = answer.headers
  }
}

export class WireClient extends Client {
  readonly socket: WebSocket

  protected constructor(url: string, { protocols, ...options }: WireOptions) {
    super()
    this.socket = new WebSocket(url, protocols ?? [SUBPROTOCOL], { perMessageDeflate: false, ...options })
    this.socket.on('message', (data) => this.arrived(JSON.parse(data.toString()) as ServerFrame))
    this.socket.on('close', (code, reason) => this.ended({ code, reason: reason.toString() }))
    // Every error is followed by `close`, which is what tests look at.
    this.socket.on('error', () => {})
  }

  /** @throws UpgradeRefused where the gateway answers with anything but 101 */
  static async open(url: string, options: WireOptions = {}): Promise<WireClient> {
    const client = new WireClient(url, options)
    await client.opened()
    return client
  }

  protected async opened(): Promise<void> {
    const refused = Promise.withResolvers<never>()
    this.socket.once('unexpected-response', (_request, answer) => {
      answer.resume()
      refused.reject(new UpgradeRefused(answer))
    })
    this.socket.once('error', refused.reject)
    await Promise.race([once(this.socket, 'open'), refused.promise])
    this.socket.off('error', refused.reject)
  }

  /** Sends a value as a frame, or a string or bytes as they are (bytes as a binary frame). */
  say(frame: object | string | Buffer): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame))
  }

  /** Sends bytes as a text frame, UTF-8 or not. */
  sayText(bytes: Buffer): void {
    this.socket.send(bytes, { binary: false })
  }

  /** Closes in good order and waits for the end. */
  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }

  /** Drops the line without a word. */
  drop(): void {
    this.socket.terminate()
  }
}
