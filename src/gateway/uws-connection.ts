/**
 * One WebSocket of uWebSockets.js as a Connection. What a turn of the event loop has for it is written at the turn's end
 * with one call to the system: the acks of a batch, the deliveries of a publish, the frames of a sync.
 */

import type { WebSocket } from 'uWebSockets.js'
import { CLOSE_CODES, type CloseCode } from '@starling/protocol/close'
import type { Connection } from './connection.ts'

/** @returns what the library hands out as bytes, as the text that it is */
export const textOf = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString()

/** Frames above this many bytes are compressed for peers that agreed to it. */
export const COMPRESS_FROM_BYTES = 1024

/** The connections that this turn of the event loop has something for. */
export class Tick {
  /** Bytes that may wait for a peer. */
  readonly maxBufferBytes: number
  #connections: UwsConnection[] = []

  constructor(maxBufferBytes: number) {
    this.maxBufferBytes = maxBufferBytes
  }

  add(connection: UwsConnection): void {
    if (this.#connections.push(connection) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const connections = this.#connections
    this.#connections = []
    for (const connection of connections) connection.flush()
  }
}

export class UwsConnection implements Connection {
  readonly #proxiedAddress: string | undefined
  /** Undefined once it is closed: the library throws on a closed socket. */
  #ws: WebSocket<unknown> | undefined
  readonly #tick: Tick
  /** What this tick has for the peer. */
  #outgoing: (string | Uint8Array)[] | undefined
  #drained: (() => void)[] | undefined

  /** @param proxiedAddress the client's address, where it is not the socket's */
  constructor(ws: WebSocket<unknown>, proxiedAddress: string | undefined, tick: Tick) {
    this.#ws = ws
    this.#proxiedAddress = proxiedAddress
    this.#tick = tick
  }

  /** Read when somebody asks: hardly anybody does. */
  get remoteAddress(): string {
    return this.#proxiedAddress ?? (this.#ws ? textOf(this.#ws.getRemoteAddressAsText()) : '')
  }

  send(frame: string | Uint8Array): void {
    if (!this.#ws) return
    if (this.#outgoing) {
      this.#outgoing.push(frame)
      return
    }
    this.#outgoing = [frame]
    this.#tick.add(this)
  }

  /** Writes what has gathered, as one. */
  flush(): void {
    const frames = this.#outgoing
    if (!frames) return
    this.#outgoing = undefined
    if (frames.length === 1) this.#write(frames[0]!)
    else
      this.#ws?.cork(() => {
        for (const frame of frames) this.#write(frame)
      })
  }

  #write(frame: string | Uint8Array): void {
    if (!this.#ws) return
    const taken = this.#ws.send(frame, false, frame.length > COMPRESS_FROM_BYTES)
    if (taken === 1) return
    if (taken === 2 || this.#ws.getBufferedAmount() > this.#tick.maxBufferBytes)
      this.#ws.end(4008, CLOSE_CODES[4008].name)
  }

  buffered(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }

  subscribe(topic: string): void {
    this.flush()
    this.#ws?.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.flush()
    this.#ws?.unsubscribe(topic)
  }

  end(code: CloseCode, reason: string): void {
    this.flush()
    this.#ws?.end(code, reason)
  }

  drained(): Promise<void> {
    if (this.buffered() === 0) return Promise.resolve()
    this.#drained ??= []
    const waiting = this.#drained
    return new Promise((resolve) => waiting.push(resolve))
  }

  onDrain(): void {
    if (this.buffered() > 0) return
    for (const resolve of this.#drained?.splice(0) ?? []) resolve()
  }

  onClose(): void {
    this.#ws = undefined
    this.#outgoing = undefined
    this.onDrain()
  }
}
