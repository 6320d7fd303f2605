/**
 * Keeps a session: does what the state machine in connection.ts says, with a real socket, tokens and timers.
 * Frames go on to the client; here only those are read that belong to the line itself: welcome, the refusal
 * of a hello, goodbye.
 */
import type { ServerFrame, ServerFrameOf, Welcome } from '@starling/protocol/frames'
import { HELLO_TIMEOUT_MS } from '@starling/protocol/limits'
import type { Clock, Timer } from './clock.ts'
import { type Connection, type ConnectionEvent, closeName, type Effect, transition } from './connection.ts'
import { StarlingError } from './errors.ts'
import { Heartbeat } from './heartbeat.ts'
import { Endpoints, waitMs } from './reconnect.ts'
import type { Tokens } from './token.ts'
import { type Line, openLine, type WebSocketConstructor } from './transport.ts'
import type { ClientEvents } from './types.ts'

export interface LinkOptions {
  endpoints: readonly string[]
  hello: { device: string; platform: string | undefined }
  WebSocket: WebSocketConstructor
  clock: Clock
  random: () => number
  tokens: Tokens
  on: LinkEvents
}

/** What concerns more than the line. */
export type SessionFrame = Exclude<ServerFrame, { op: 'welcome' | 'goodbye' }>

export interface LinkEvents {
  /** Before a line: whatever else must be known to say hello. @returns the inbox' position, where there is one */
  prepare(token: string): Promise<string | undefined>
  state(change: ClientEvents['state']): void
  /** A session has begun. Resolves when everything missed has come, rejects where the line is lost before. */
  session(welcome: Welcome): Promise<void>
  frame(frame: SessionFrame): void
  /** The line is over, whether there was a session or not. */
  down(): void
  close(close: ClientEvents['close']): void
  /** Nothing will be tried again. */
  end(): void
  error(error: unknown): void
}

/** How long getting a token and a socket may take. */
const CONNECT_TIMEOUT_MS = 20_000
/** How long `close` waits for the server to close as well. */
const FAREWELL_MS = 1_000
/** Requests have longer refs. */
const HELLO_REF = 'hello'

export class Link {
  readonly #options: LinkOptions
  readonly #endpoints: Endpoints
  readonly #heartbeat: Heartbeat
  #connection: Connection = { state: 'disconnected' }
  /** Events that came while another was worked on. */
  readonly #queue: ConnectionEvent[] = []
  #busy = false
  /** Of the line that counts; 0 while there is none. */
  #epoch = 0
  #line: Line | undefined
  #hello = ''
  #welcome: Welcome | undefined
  /** Of the state: time to open, to be welcomed, to come back. */
  #timer: Timer | undefined
  #farewell: () => void = () => {}
  /** The one in use or tried last. */
  endpoint: string | undefined

  constructor(options: LinkOptions) {
    const { clock, random } = options
    this.#options = options
    this.#endpoints = new Endpoints(options.endpoints, random)
    this.#heartbeat = new Heartbeat(clock, {
      ping: () => this.say('{"op":"ping"}'),
      dead: () => this.#lost(this.#epoch, 1006, { why: 'silence' }),
    })
  }

  get state(): Connection['state'] {
    return this.#connection.state
  }

  connect(): void {
    this.#dispatch({ type: 'connect' })
  }

  /** @returns when the line is down, or the server takes too long */
  close(): Promise<void> {
    const { clock } = this.#options
    const isUp = this.#line !== undefined
    const farewell = new Promise<void>((resolve) => {
      if (!isUp) return resolve()
      const timer = clock.setTimeout(resolve, FAREWELL_MS)
      this.#farewell = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#dispatch({ type: 'close' })
    return farewell
  }

  /** Says something on the line, if there is one. */
  readonly say = (text: string): void => {
    try {
      this.#line?.send(text)
    } catch (error) {
      // The socket is about to close; its end is on the way and settles what this was about.
      this.#options.on.error(error)
    }
  }

  /** One event after the other: what listeners do meanwhile waits for its turn. */
  #dispatch(event: ConnectionEvent): void {
    this.#queue.push(event)
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next)
    this.#busy = false
  }

  #step(event: ConnectionEvent): void {
    const { on } = this.#options
    const from = this.#connection.state
    const change = transition(this.#connection, event)
    if (change === undefined) return
    this.#connection = change.next
    const to = change.next.state
    if (from !== to) on.state({ from, to, why: change.why })
    for (const effect of change.effects) this.#perform(effect)
    const code = event.type === 'lost' ? event.code : event.type === 'refused' ? 4001 : undefined
    if (code !== undefined) on.close({ code, name: closeName(code), reconnect: to !== 'closed' })
  }

  #perform(effect: Effect): void {
    const { clock, random, on, tokens } = this.#options
    switch (effect.do) {
      case 'open':
        this.#epoch = effect.epoch
        this.#limit(CONNECT_TIMEOUT_MS, 'no connection in time')
        void this.#open(effect.epoch)
        return
      case 'hello':
        this.#limit(HELLO_TIMEOUT_MS, 'no welcome in time')
        this.say(this.#hello)
        return
      case 'sync':
        clock.clearTimeout(this.#timer)
        this.#begin(this.#epoch, this.#welcome as Welcome)
        return
      case 'drop':
        this.#epoch = 0
        clock.clearTimeout(this.#timer)
        this.#heartbeat.stop()
        this.#line?.hangUp()
        this.#line = undefined
        on.down()
        return
      case 'forgetToken':
        tokens.forget()
        return
      case 'wait':
        this.#timer = clock.setTimeout(
          () => this.#dispatch({ type: 'woken', epoch: effect.epoch }),
          waitMs(effect.wait, random),
        )
        return
      case 'end':
        on.end()
        return
    }
  }

  async #open(epoch: number): Promise<void> {
    const { on, tokens, hello, WebSocket } = this.#options
    try {
      const token = await tokens.get()
      const inbox = await on.prepare(token)
      if (this.#epoch !== epoch) return
      this.#hello = JSON.stringify({ op: 'hello', ref: HELLO_REF, token, inbox, ...hello })
      this.endpoint = this.#endpoints.next()
      this.#line = openLine(WebSocket, this.endpoint, {
        opened: () => this.#dispatch({ type: 'opened', epoch }),
        heard: (text) => {
          if (this.#epoch === epoch) this.#heard(epoch, text)
        },
        ended: (code) => {
          this.#farewell()
          this.#lost(epoch, code)
        },
      })
    } catch (error) {
      if (this.#epoch !== epoch) return
      on.error(error)
      const isFinal = error instanceof StarlingError && error.code === 'unauthorized'
      if (isFinal) this.#dispatch({ type: 'refused', epoch })
      else this.#lost(epoch, 1006, { why: 'no connection' })
    }
  }

  #begin(epoch: number, welcome: Welcome): void {
    const { on, clock } = this.#options
    this.#heartbeat.start(welcome.heartbeat)
    on.session(welcome).then(
      () => this.#dispatch({ type: 'synced', epoch, at: clock.now() }),
      // The end of the line has been told already.
      () => {},
    )
  }

  #heard(epoch: number, text: string): void {
    const { on, clock } = this.#options
    this.#heartbeat.heard()
    try {
      const frame = JSON.parse(text) as ServerFrame
      if (frame.op === 'welcome') {
        this.#welcome = frame
        this.#dispatch({ type: 'welcomed', epoch })
      } else if (frame.op === 'goodbye') {
        this.#endpoints.postpone(this.endpoint)
        this.#dispatch({ type: 'goodbye', epoch, returnAt: clock.now() + frame.retryIn })
      } else if (frame.op === 'error' && frame.ref === HELLO_REF) this.#refused(epoch, frame)
      else on.frame(frame)
    } catch (error) {
      on.error(error)
    }
  }

  /** A hello that was not taken. Mostly a close follows, which says it more exactly. */
  #refused(epoch: number, error: ServerFrameOf<'error'>): void {
    const reason = new StarlingError(error.code, error.message, error)
    this.#options.on.error(reason)
    if (reason.retryable) this.#lost(epoch, 1006, { why: error.code, retryIn: reason.retryIn })
    else if (error.code === 'bad_request') this.#lost(epoch, 4000, { why: error.code })
  }

  #lost(epoch: number, code: number, more: { why?: string; retryIn?: number | undefined } = {}): void {
    const { why, retryIn } = more
    const at = this.#options.clock.now()
    this.#dispatch({
      type: 'lost',
      epoch,
      code,
      at,
      ...(why !== undefined && { why }),
      ...(retryIn !== undefined && { retryIn }),
    })
  }

  /** Gives the state so much time to become another. */
  #limit(ms: number, why: string): void {
    const { clock } = this.#options
    const epoch = this.#epoch
    clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => this.#lost(epoch, 1006, { why }), ms)
  }
}
