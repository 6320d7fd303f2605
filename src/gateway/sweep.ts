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
  /** Whose turn it is: theirs whose ms of coming, modulo LOOKS, is this. So who leaves changes nobody's turn. */
  #turn = 0
  #timer: NodeJS.Timeout | undefined

  constructor(deps: { sessions: ReadonlySet<Session>; maxBufferBytes: number }) {
    this.#sessions = deps.sessions
    this.#maxBufferBytes = deps.maxBufferBytes
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = Date.now()
    this.#turn = (this.#turn + 1) % LOOKS
    for (const session of this.#sessions) {
      if (session.openedAt % LOOKS === this.#turn) this.#judge(session, now)
    }
  }

  #judge(session: Session, now: number): void {
    const code = session.overdue(now, this.#maxBufferBytes)
    if (code === undefined) return
    if (code === 4001)
      session.sendError(new ProtocolError('unauthorized', 'the token has expired'), undefined)
    session.close(code)
  }
}
