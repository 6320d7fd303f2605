/**
 * What time does to sessions: hellos that don't come, tokens that end, peers that don't read. A look at some of them a few
 * times a second costs less than a timer each.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { Session } from './session.ts'

const EVERY_MS = 500
/** Looks until all have had their turn: within 2 s, so that a token is found to have ended within its leeway. */
const LOOKS = 4

export class Sweep {
  readonly #sessions: ReadonlySet<Session>
  readonly #maxBufferBytes: number
  /** Whose turn comes next: those who come meanwhile stand at its end. */
  #round: Iterator<Session>
  #timer: NodeJS.Timeout | undefined

  constructor(deps: { sessions: ReadonlySet<Session>; maxBufferBytes: number }) {
    this.#sessions = deps.sessions
    this.#maxBufferBytes = deps.maxBufferBytes
    this.#round = deps.sessions.values()
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = Date.now()
    for (let left = Math.ceil(this.#sessions.size / LOOKS); left > 0; left--) {
      const session = this.#next()
      if (session) this.#judge(session, now)
    }
  }

  /** @returns whose turn it is; undefined where nobody is here */
  #next(): Session | undefined {
    const next = this.#round.next()
    if (!next.done) return next.value
    this.#round = this.#sessions.values()
    return this.#round.next().value
  }

  #judge(session: Session, now: number): void {
    const code = session.overdue(now, this.#maxBufferBytes)
    if (code === undefined) return
    if (code === 4001)
      session.sendError(new ProtocolError('unauthorized', 'the token has expired'), undefined)
    session.close(code)
  }
}
