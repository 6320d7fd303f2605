/**
 * The other end of a line in memory: a socket class for the client, and a gateway that says what the test
 * tells it to.
 */
import { expect } from 'vitest'
import type { WebSocketConstructor, WebSocketLike } from '../../../../client/src/index.ts'
import { settled } from './manual-clock.ts'

export interface Frame {
  op: string
  ref?: string
  token?: string
  inbox?: string
  convs?: Record<string, string>
  users?: string[]
  [field: string]: unknown
}

export const welcomeOf = (more: object = {}) => ({
  op: 'welcome',
  ref: 'hello',
  session: '00000000-0000-4000-8000-000000000000',
  user: { id: 'alice', name: 'Alice' },
  node: 'gw-1',
  time: 1_000_000,
  heartbeat: 25_000,
  inbox: '0-0',
  resumed: true,
  limits: {
    frame: 65_536,
    body: 16_384,
    watch: 2_000,
    sessions: 16,
    sendsPerSecond: 50,
    burst: 200,
    recallMs: 120_000,
  },
  ...more,
})

/** One connection, seen from the gateway. */
export class GatewayLine {
  readonly url: string
  readonly protocol: string
  readonly #socket: WebSocketLike
  /** What has come and was not asked for yet. */
  readonly #unread: Frame[] = []
  /** The positions of `received`, which comes when it likes. */
  readonly received: unknown[] = []
  isOpen = false
  closedByClient: number | undefined

  constructor(url: string, protocol: string, socket: WebSocketLike) {
    this.url = url
    this.protocol = protocol
    this.#socket = socket
  }

  accept(): void {
    this.isOpen = true
    this.#socket.onopen?.({} as never)
  }

  say(...frames: object[]): void {
    for (const frame of frames) this.#socket.onmessage?.({ data: JSON.stringify(frame) } as never)
  }

  /** Ends the line as a server does, or the network with 1006. */
  end(code: number): void {
    this.isOpen = false
    this.#socket.onclose?.({ code } as never)
  }

  heard(text: string): void {
    const frame = JSON.parse(text) as Frame
    if (frame.op === 'received') this.received.push(frame.inbox)
    else this.#unread.push(frame)
  }

  /** @returns the next frame, which must be of this kind */
  async hears(op: string): Promise<Frame> {
    await settled()
    const frame = this.#unread.shift()
    expect(frame, `expected ${op}, heard nothing`).toBeDefined()
    expect(frame?.op).toBe(op)
    return frame as Frame
  }

  async hearsNothing(): Promise<void> {
    await settled()
    expect(this.#unread).toEqual([])
  }
}

export class MemoryGateway {
  readonly lines: GatewayLine[] = []
  readonly WebSocket: WebSocketConstructor

  constructor() {
    const { lines } = this
    this.WebSocket = class implements WebSocketLike {
      onopen: WebSocketLike['onopen'] = null
      onmessage: WebSocketLike['onmessage'] = null
      onclose: WebSocketLike['onclose'] = null
      onerror: WebSocketLike['onerror'] = null
      readonly #line: GatewayLine

      constructor(url: string, protocol: string) {
        this.#line = new GatewayLine(url, protocol, this)
        lines.push(this.#line)
      }

      send(text: string): void {
        if (!this.#line.isOpen) throw new Error('not open')
        this.#line.heard(text)
      }

      close(code = 1005): void {
        this.#line.closedByClient = code
        const { onclose } = this
        queueMicrotask(() => onclose?.({ code } as never))
      }
    }
  }

  /** @returns the newest line, once the client has asked for it */
  async called(): Promise<GatewayLine> {
    await settled()
    const line = this.lines.at(-1)
    expect(line, 'nobody has called').toBeDefined()
    return line as GatewayLine
  }

  /** Opens the newest line and hears the hello. */
  async greets(): Promise<{ line: GatewayLine; hello: Frame }> {
    const line = await this.called()
    line.accept()
    return { line, hello: await line.hears('hello') }
  }

  /** The whole beginning of a session. @param more fields of `welcome`. @param convs the list of `synced` */
  async joins({ more = {}, convs = [], inbox = '0-0' }: Joining = {}): Promise<GatewayLine> {
    const { line } = await this.greets()
    line.say(welcomeOf({ inbox, ...more }))
    const { ref } = await line.hears('sync')
    line.say({ op: 'synced', ref, inbox, convs })
    await settled()
    return line
  }
}

interface Joining {
  more?: object
  convs?: object[]
  inbox?: string
}
