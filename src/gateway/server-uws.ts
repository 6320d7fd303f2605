/**
 * The WebSocket and HTTP server: uWebSockets.js, and the only file that loads it. A socket becomes a Connection;
 * the native topics are the fan-out.
 */

import * as uws from 'uWebSockets.js'
import {
  App,
  type HttpRequest,
  type HttpResponse,
  SSLApp,
  type us_listen_socket,
  us_listen_socket_close,
  type us_socket_context_t,
  us_socket_local_port,
} from 'uWebSockets.js'
import { IDLE_TIMEOUT_MS, MAX_CLOSEABLE_FRAME_BYTES, SUBPROTOCOL } from '@starling/protocol/limits'
import { BootError } from '../lib/boot-error.ts'
import type { Tally } from '../lib/tally.ts'
import type { ConnectionHandler, Receiver, TopicPublisher } from './connection.ts'
import { COMPRESS_FROM_BYTES, Tick, textOf, UwsConnection } from './uws-connection.ts'
import { type Fetch, serveHttp } from './uws-http.ts'

/** Whether a browser's page may connect, and whether there is room. */
export interface Door {
  /** @returns undefined to let it in, else the answer */
  refuse(request: { origin: string; host: string }): Refusal | undefined
}

export interface Refusal {
  status: 403 | 503
  message: string
  retryAfterS?: number
}

export interface UwsServerOptions {
  handler: ConnectionHandler
  door: Door
  /** Counts those who are sent away before they are asked in. */
  handshakes: Pick<Tally, 'add'>
  fetch: Fetch
  /** Bytes that may wait for a peer. */
  maxBufferBytes: number
  trustProxy: boolean
  tls: { cert: string; key: string } | undefined
}

/** The library's types know these two as types alone. */
const { SHARED_COMPRESSOR, SHARED_DECOMPRESSOR } = uws as unknown as Record<string, number>
const SHARED_COMPRESSION = SHARED_COMPRESSOR! | SHARED_DECOMPRESSOR!

type ExclusiveListen = (
  host: string,
  port: number,
  option: number,
  done: (socket: us_listen_socket | false) => void,
) => void
const EXCLUSIVE_PORT = 1

interface SocketData {
  /** What the proxy says of the client's address, where one is trusted. */
  proxiedAddress: string | undefined
  connection: UwsConnection | undefined
  receiver: Receiver | undefined
}

/** Sockets above their limit are looked for natively a little later than by us, who can say why we close. */
const NATIVE_BUFFER_FACTOR = 2

export class UwsServer implements TopicPublisher {
  readonly #app: ReturnType<typeof App>
  readonly #options: UwsServerOptions
  #listening: us_listen_socket | undefined

  constructor(options: UwsServerOptions) {
    this.#options = options
    const { tls } = options
    const tick = new Tick(options.maxBufferBytes)
    this.#app = tls ? SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key }) : App()
    this.#app
      .ws<SocketData>('/ws', {
        maxPayloadLength: MAX_CLOSEABLE_FRAME_BYTES,
        maxBackpressure: options.maxBufferBytes * NATIVE_BUFFER_FACTOR,
        // A publish skips a socket over its limit without a word; it must be closed, not left with a hole.
        closeOnBackpressureLimit: true,
        idleTimeout: IDLE_TIMEOUT_MS / 1000,
        sendPingsAutomatically: true,
        compression: SHARED_COMPRESSION,
        upgrade: (res, req, context) => this.#upgrade(res, req, context),
        open: (ws) => {
          const data = ws.getUserData()
          data.connection = new UwsConnection(ws, data.proxiedAddress, tick)
          data.receiver = options.handler.open(data.connection)
        },
        message: (ws, message, isBinary) => {
          const { receiver } = ws.getUserData()
          if (isBinary) receiver?.binary()
          else receiver?.frame(message)
        },
        drain: (ws) => ws.getUserData().connection?.onDrain(),
        close: (ws, code) => {
          const { connection, receiver } = ws.getUserData()
          connection?.onClose()
          receiver?.closed(code)
        },
      })
      .any('/*', (res, req) =>
        serveHttp(res, req, options.fetch, {
          remoteAddress:
            (options.trustProxy && proxiedAddressOf(res, req)) || textOf(res.getRemoteAddressAsText()),
          tls: tls !== undefined,
        }),
      )
  }

  publish(topic: string, frame: string | Uint8Array): void {
    this.#app.publish(topic, frame, false, frame.length > COMPRESS_FROM_BYTES)
  }

  /** @returns how many sockets follow a topic */
  followers(topic: string): number {
    return this.#app.numSubscribers(topic)
  }

  /** @returns the port it listens on @throws Error where it can't */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      // The types lack the form with a host and an option; without it two gateways would share a port unnoticed.
      const listen = this.#app.listen.bind(this.#app) as unknown as ExclusiveListen
      listen(host, port, EXCLUSIVE_PORT, (socket) => {
        if (!socket) return reject(new BootError(`cannot listen on ${host}:${port}: is the port taken?`))
        this.#listening = socket
        resolve(us_socket_local_port(socket as never))
      })
    })
  }

  /** Takes no new connections; those that are there stay. */
  stopListening(): void {
    if (this.#listening) us_listen_socket_close(this.#listening)
    this.#listening = undefined
  }

  close(): void {
    this.stopListening()
    this.#app.close()
  }

  #upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t): void {
    const protocols = req.getHeader('sec-websocket-protocol')
    if (
      protocols !== SUBPROTOCOL &&
      !protocols.split(',').some((protocol) => protocol.trim() === SUBPROTOCOL)
    ) {
      this.#options.handshakes.add('subprotocol')
      refuse(res, '400 Bad Request', 'bad_request', `ask for the WebSocket subprotocol ${SUBPROTOCOL}`)
      return
    }
    const refusal = this.#options.door.refuse({
      origin: req.getHeader('origin'),
      host: req.getHeader('host'),
    })
    if (refusal) {
      const [status, code] =
        refusal.status === 403 ? ['403 Forbidden', 'forbidden'] : ['503 Service Unavailable', 'overloaded']
      refuse(res, status!, code!, refusal.message, refusal.retryAfterS)
      return
    }
    const proxiedAddress = this.#options.trustProxy ? proxiedAddressOf(res, req) : undefined
    res.upgrade<SocketData>(
      { proxiedAddress, connection: undefined, receiver: undefined },
      req.getHeader('sec-websocket-key'),
      SUBPROTOCOL,
      req.getHeader('sec-websocket-extensions'),
      context,
    )
  }
}

function refuse(
  res: HttpResponse,
  status: string,
  code: string,
  message: string,
  retryAfterS?: number,
): void {
  res.cork(() => {
    res.writeStatus(status).writeHeader('Content-Type', 'application/json')
    if (retryAfterS !== undefined) res.writeHeader('Retry-After', String(retryAfterS))
    const retryIn = retryAfterS === undefined ? {} : { retryIn: retryAfterS * 1000 }
    res.end(JSON.stringify({ error: { code, message, ...retryIn } }))
  })
}

/** @returns the client's address as a trusted proxy names it */
function proxiedAddressOf(res: HttpResponse, req: HttpRequest): string | undefined {
  const proxied = textOf(res.getProxiedRemoteAddressAsText())
  return proxied || req.getHeader('x-forwarded-for').split(',').at(-1)?.trim() || undefined
}
