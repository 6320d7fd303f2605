/**
 * From a frame's bytes to its handler and back to a reply: the only place that catches. Frames of a connection are
 * taken up in their order; what a handler starts before its first await is done in that order.
 */
import { CLOSE_CODES } from '@starling/protocol/close'
import { decodeClientFrame } from '@starling/protocol/codec'
import { ProtocolError } from '@starling/protocol/errors'
import type { ClientFrame, ClientOp, ServerFrame } from '@starling/protocol/frames'
import type { Ref } from '@starling/protocol/ids'
import type { Connection, ConnectionHandler, Receiver } from './connection.ts'
import type { GatewayContext } from './context.ts'
import { send, typing } from './handlers/message.ts'
import { begin, read, received, sync } from './handlers/position.ts'
import { hello, ping, token } from './handlers/session.ts'
import { unwatch, watch } from './handlers/watch.ts'
import { type Live, Session } from './session.ts'

/** A frame, or one that is serialised already, with its ref. */
type Reply = ServerFrame | string | undefined

/** When to try again what was refused since too much was under way, ms. */
const BUSY_RETRY_MS = 1_000

/** What a frame asks of Redis, in the work of a simple one. Sends have a rate of their own. */
function costOf(frame: ClientFrame): number {
  if (frame.op === 'send') return 0
  if (frame.op !== 'watch') return 1
  // A user is one look-up among many of one round trip; everybody is a look into every bucket.
  return frame.users.includes('*') ? 100 : Math.ceil(frame.users.length / 10)
}

export class Dispatch implements ConnectionHandler {
  readonly #context: GatewayContext

  constructor(context: GatewayContext) {
    this.#context = context
  }

  open(connection: Connection): Receiver {
    const session = new Session(connection, Date.now())
    this.#context.hub.sessions.add(session)
    return new SessionReceiver(this, session)
  }

  frame(session: Session, bytes: ArrayBuffer | Uint8Array): void {
    if (session.state.is === 'closed') return
    if (bytes.byteLength > this.#context.limits.frame) return session.close(1009)
    const decoded = decodeClientFrame(bytes)
    if (!decoded.ok) return this.bad(session, decoded.error, decoded.op, decoded.ref)
    session.goodFrame()
    this.#context.metrics.frames.add(decoded.frame.op)
    this.#handle(session, decoded.frame, bytes.byteLength)
  }

  #handle(session: Session, frame: ClientFrame, bytes: number): void {
    switch (session.state.is) {
      case 'awaitingHello':
        if (frame.op !== 'hello') return this.#notHello(session, frame.ref)
        session.state = { is: 'joining', waiting: [], bytes: 0, who: undefined, here: undefined }
        void this.#hello(session, frame)
        return
      case 'joining':
        if (!session.keep(frame, bytes)) return session.close(4009)
        begin(this.#context, session)
        return
      case 'live':
        void this.#answer({ session, identity: session.identity!, here: session.state.here }, frame)
        return
      case 'closed':
    }
  }

  async #hello(session: Session, frame: Extract<ClientFrame, { op: 'hello' }>): Promise<void> {
    const { state } = session
    const waiting = state.is === 'joining' ? state.waiting : []
    try {
      await hello(this.#context, session, frame)
      this.#context.metrics.hellos.add(session.here ? 'ok' : 'gone')
    } catch (fault) {
      this.#helloFailed(session, frame.ref, waiting, this.#known(fault, { op: 'hello' }))
      return
    }
    // More may come in while these are handled; they come after, since handling starts at once.
    for (const next of waiting) this.#handle(session, next, 0)
  }

  #helloFailed(
    session: Session,
    ref: Ref | undefined,
    waiting: readonly ClientFrame[],
    error: ProtocolError,
  ): void {
    this.#context.metrics.hellos.add(error.code)
    session.sendError(error, ref)
    if (error.code === 'unauthorized') return session.close(4001)
    if (error.code === 'forbidden') return session.close(4010)
    if (session.state.is === 'closed') return
    if (session.identity) return session.close(1011) // joined, but cannot follow what it has to
    session.state = { is: 'awaitingHello' }
    session.ahead = undefined // the next hello may be somebody else's
    for (const { ref: unanswered } of waiting)
      if (unanswered !== undefined) session.sendError(error, unanswered)
  }

  async #answer(live: Live, frame: ClientFrame): Promise<void> {
    const { session } = live
    const cost = costOf(frame)
    try {
      if (!session.begin(cost)) this.#busy(session)
      const reply = await this.#run(live, frame)
      if (typeof reply === 'string') session.sendRaw(reply)
      else if (reply)
        session.send(frame.ref === undefined ? reply : ({ ...reply, ref: frame.ref } as ServerFrame))
    } catch (fault) {
      const error = this.#known(fault, { op: frame.op, user: live.identity.user })
      this.#context.metrics.errors.add(error.code)
      session.sendError(error, frame.ref)
    } finally {
      session.done(cost)
    }
  }

  /** @throws ProtocolError always; one who goes on and on is closed */
  #busy(session: Session): never {
    if (session.refused(performance.now())) session.close(4009)
    throw new ProtocolError('rate_limited', 'too much is under way', { retryIn: BUSY_RETRY_MS })
  }

  #run(live: Live, frame: ClientFrame): Reply | Promise<Reply> {
    const context = this.#context
    switch (frame.op) {
      case 'hello':
        throw new ProtocolError('bad_request', 'this connection has had its hello', { field: 'op' })
      case 'token':
        return token(context, live, frame)
      case 'ping':
        return ping(context, live)
      case 'send':
        return send(context, live, frame)
      case 'typing':
        return typing(context, live, frame)
      case 'read':
        return read(context, live, frame)
      case 'received':
        return received(context, live, frame)
      case 'sync':
        return sync(context, live, frame)
      case 'watch':
        return watch(context, live, frame)
      case 'unwatch':
        return unwatch(context, live, frame)
    }
  }

  bad(session: Session, error: ProtocolError, op: string | undefined, ref: Ref | undefined): void {
    this.#context.metrics.frames.add('bad')
    if (error.code !== 'bad_frame') {
      session.goodFrame()
      if (session.state.is === 'awaitingHello' && op !== 'hello') return this.#notHello(session, ref)
      return session.sendError(error, ref)
    }
    session.sendError(error, undefined)
    if (session.badFrame()) session.close(4000)
  }

  #notHello(session: Session, ref: Ref | undefined): void {
    session.sendError(new ProtocolError('bad_request', 'the first frame is hello', { field: 'op' }), ref)
    session.close(4000)
  }

  closed(session: Session, code: number): void {
    const { hub, watches, follow, log, metrics } = this.#context
    const { here, identity } = session
    metrics.closes.add(code in CLOSE_CODES || code === 1000 || code === 1005 ? String(code) : 'other')
    session.state = { is: 'closed' }
    hub.sessions.delete(session)
    watches.forget(session)
    if (!here || !identity) return
    if (hub.remove(session, here)) follow.forget(here)
    log.debug({ user: identity.user, session: identity.session, code }, 'session closed')
    void this.#context.departures.leave(identity)
  }

  /** Sorts a fault: what the client is told. What is our bug is logged whole. */
  #known(fault: unknown, where: { op: ClientOp; user?: string }): ProtocolError {
    if (fault instanceof ProtocolError) return fault
    this.#context.log.error({ err: fault, ...where }, 'a frame could not be handled')
    return new ProtocolError('internal', 'something went wrong here')
  }
}

/** What a session's transport speaks to; an object of two fields, since there is one for each connection. */
class SessionReceiver implements Receiver {
  readonly #dispatch: Dispatch
  readonly #session: Session

  constructor(dispatch: Dispatch, session: Session) {
    this.#dispatch = dispatch
    this.#session = session
  }

  frame(bytes: ArrayBuffer | Uint8Array): void {
    this.#dispatch.frame(this.#session, bytes)
  }

  binary(): void {
    const error = new ProtocolError('bad_frame', 'frames are text')
    this.#dispatch.bad(this.#session, error, undefined, undefined)
  }

  closed(code: number): void {
    this.#dispatch.closed(this.#session, code)
  }
}
