/**
 * A WebSocket that tells a history what passes: sends, acks, errors, the begin and end of a session. For the SDK and for
 * raw frames alike, so that what is recorded is what was on the wire.
 */
import type { ServerFrame } from '@starling/protocol/frames'
import { convOf, type Target } from '@starling/protocol/ids'
import { WebSocket } from 'ws'
import { nowMs } from '../history.ts'
import { brief, type Recorder } from './recorder.ts'

/** Where the name of the op begins: every frame of a gateway starts with it. */
const OP_AT = '{"op":"'.length
/** First letters of the ops that are looked at: ack, error, goodbye, welcome. */
const LOOKED_AT = new Set([...'aegw'].map((letter) => letter.charCodeAt(0)))

/** What a goodbye has announced, and when its client was back. */
export interface Farewell {
  client: string
  at: number
  retryIn: number
  backAt: number | undefined
}

/** One client's sockets, one after the other. */
export interface Tap {
  readonly client: string
  readonly user: string
  readonly recorder: Recorder
  readonly farewells: Farewell[]
  /** Close codes, in order. */
  readonly closes: number[]
  /** The socket in use or tried last. */
  socket: TappedSocket | undefined
  /** How many there were. */
  lines: number
}

export const tapFor = (recorder: Recorder, client: string, user: string): Tap => ({
  client,
  user,
  recorder,
  farewells: [],
  closes: [],
  socket: undefined,
  lines: 0,
})

export class TappedSocket extends WebSocket {
  readonly line: number
  readonly #tap: Tap
  /** The node of the session, while there is one. */
  #node: string | undefined

  constructor(tap: Tap, url: string, protocol: string) {
    super(url, protocol, { perMessageDeflate: false })
    this.#tap = tap
    this.line = ++tap.lines
    tap.socket = this
    this.on('message', (data: Buffer) => {
      if (LOOKED_AT.has(data[OP_AT]!)) this.#hear(JSON.parse(data.toString()) as ServerFrame)
    })
    this.on('close', (code) => {
      tap.closes.push(code)
      this.#down()
    })
    // Every error is followed by `close`.
    this.on('error', () => {})
  }

  override send(data: string): void {
    if (data.startsWith('{"op":"send"')) this.#say(data)
    super.send(data)
  }

  override close(code?: number, reason?: string): void {
    this.#down()
    super.close(code, reason)
  }

  #say(text: string): void {
    const { recorder, client, user } = this.#tap
    const { to, ref, body } = JSON.parse(text) as { to: Target; ref: string; body: { text: string } }
    recorder.add({ is: 'send', client, line: this.line, conv: convOf(user, to), ref, text: brief(body.text) })
  }

  #hear(frame: ServerFrame): void {
    const { recorder, client, farewells } = this.#tap
    if (frame.op === 'ack') {
      const { conv, ref, id, dup = false } = frame
      recorder.add({ is: 'ack', client, line: this.line, conv, ref, id, dup })
    } else if (frame.op === 'error' && frame.ref !== undefined) {
      recorder.add({ is: 'error', client, line: this.line, ref: frame.ref, code: frame.code })
    } else if (frame.op === 'goodbye') {
      farewells.push({ client, at: nowMs(), retryIn: frame.retryIn, backAt: undefined })
    } else if (frame.op === 'welcome') {
      this.#node = frame.node
      const last = farewells.at(-1)
      if (last) last.backAt ??= nowMs()
      recorder.add({ is: 'up', client, node: frame.node })
    }
  }

  #down(): void {
    if (this.#node === undefined) return
    this.#tap.recorder.add({ is: 'down', client: this.#tap.client, node: this.#node })
    this.#node = undefined
  }
}

/** @returns a socket class for the SDK, whose sockets belong to this client */
export function socketClass(tap: Tap) {
  return class extends TappedSocket {
    constructor(url: string, protocol: string) {
      super(tap, url, protocol)
    }
  }
}
