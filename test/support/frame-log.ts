/**
 * What came over one connection, and waiting for what has not come yet. Knows frames by their `op` and
 * their fields, nothing of sockets: those feed it (wire-client.ts, harness-tcp.ts).
 */
import { isDeepStrictEqual } from 'node:util'
import type { ServerFrame, ServerFrameOf, ServerOp } from '@starling/protocol/frames'

export interface Closed {
  code: number
  reason: string
}

/** What a frame must carry: equal values of these fields, or what the function accepts. */
export type Match<Op extends ServerOp> = Partial<ServerFrameOf<Op>> | ((frame: ServerFrameOf<Op>) => boolean)

interface Waiter {
  wants: (frame: ServerFrame) => boolean
  gets: (frame: ServerFrame) => void
  fails: (why: Error) => void
}

const PATIENCE_MS = 15_000

function matches<Op extends ServerOp>(frame: ServerFrame, op: Op, match: Match<Op>): boolean {
  if (frame.op !== op) return false
  if (typeof match === 'function') return match(frame as ServerFrameOf<Op>)
  return Object.entries(match).every(([field, value]) =>
    isDeepStrictEqual((frame as Record<string, unknown>)[field], value),
  )
}

export class FrameLog {
  /** Everything that came, in order. */
  readonly frames: ServerFrame[] = []
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<Closed>
  /** Set once the connection has ended. */
  end: Closed | undefined
  #unseen: ServerFrame[] = []
  readonly #waiters = new Set<Waiter>()
  readonly #resolveClosed: (closed: Closed) => void

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Closed>()
    this.closed = promise
    this.#resolveClosed = resolve
  }

  /** A frame has come: the first who waits for it takes it, else it stays for a later `expects`. */
  protected arrived(frame: ServerFrame): void {
    this.frames.push(frame)
    for (const waiter of this.#waiters) {
      if (!waiter.wants(frame)) continue
      this.#waiters.delete(waiter)
      waiter.gets(frame)
      return
    }
    this.#unseen.push(frame)
  }

  protected ended(closed: Closed): void {
    if (this.end) return
    this.end = closed
    this.#resolveClosed(closed)
    for (const waiter of this.#waiters) waiter.fails(new Error(`closed ${closed.code} ${closed.reason}`))
    this.#waiters.clear()
  }

  /** Waits for the end, 15 s where not given: longer than any deadline of a gateway but that for silent peers. */
  async closes(withinMs = 15_000): Promise<Closed> {
    const failure = new Error(`still open after ${withinMs} ms; unexpected so far: `)
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      failure.message += this.#lately()
      reject(failure)
    }, withinMs)
    return Promise.race([this.closed, late]).finally(() => clearTimeout(timer))
  }

  /** @returns the frames of this kind that came so far, those already expected included */
  seen<Op extends ServerOp>(op: Op, match: Match<Op> = {}): ServerFrameOf<Op>[] {
    return this.frames.filter((frame) => matches(frame, op, match)) as ServerFrameOf<Op>[]
  }

  /** @returns the frames of this kind that came and that nobody has expected yet */
  unseen<Op extends ServerOp>(op: Op, match: Match<Op> = {}): ServerFrameOf<Op>[] {
    return this.#unseen.filter((frame) => matches(frame, op, match)) as ServerFrameOf<Op>[]
  }

  /** Forgets what came and was not expected: what follows starts here. */
  forget(): void {
    this.#unseen = []
  }

  /**
   * Takes the first frame that is of this kind and was not taken before, waiting for it where needed.
   * @param withinMs how long to wait; 15 s where not given
   */
  async expects<Op extends ServerOp>(
    op: Op,
    match: Match<Op> = {},
    withinMs = PATIENCE_MS,
  ): Promise<ServerFrameOf<Op>> {
    const what = `${op} ${typeof match === 'function' ? match.toString() : JSON.stringify(match)}`
    return (await this.#take((frame) => matches(frame, op, match), what, withinMs)) as ServerFrameOf<Op>
  }

  /** Takes the reply to `ref`: of all frames that carry it, `message` and `batch` are none. */
  async reply(ref: string, withinMs = PATIENCE_MS): Promise<ServerFrame> {
    const isReply = (frame: ServerFrame) =>
      'ref' in frame && frame.ref === ref && frame.op !== 'message' && frame.op !== 'batch'
    return this.#take(isReply, `reply to ${ref}`, withinMs)
  }

  async #take(wants: (frame: ServerFrame) => boolean, what: string, withinMs: number): Promise<ServerFrame> {
    const at = this.#unseen.findIndex(wants)
    if (at >= 0) return this.#unseen.splice(at, 1)[0]!
    if (this.end) throw new Error(`waiting for ${what}: closed ${this.end.code} ${this.end.reason}`)
    // Made here and not in a callback, so that its stack names the line of the test that waits.
    const failure = new Error(`waiting for ${what}`)
    const { promise, resolve, reject } = Promise.withResolvers<ServerFrame>()
    const waiter: Waiter = {
      wants,
      gets: resolve,
      fails: (why) => {
        failure.message += `: ${why.message}`
        reject(failure)
      },
    }
    this.#waiters.add(waiter)
    const timer = setTimeout(() => {
      this.#waiters.delete(waiter)
      waiter.fails(new Error(`not within ${withinMs} ms; unexpected so far: ${this.#lately()}`))
    }, withinMs)
    return promise.finally(() => clearTimeout(timer))
  }

  #lately(): string {
    const lines = this.#unseen.slice(-8).map((frame) => JSON.stringify(frame).slice(0, 300))
    return lines.length > 0 ? `\n  ${lines.join('\n  ')}` : 'nothing'
  }
}
