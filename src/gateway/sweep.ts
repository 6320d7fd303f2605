/**
 * What time does to sessions: hellos that don't come, tokens that end, peers that don't read. One look at all of them
 * a few times a second costs less than a timer each.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { Session } from './session.ts'

const EVERY_MS = 500

export class Sweep {
  readonly #sessions: ReadonlySet<Session>
  readonly #maxBufferBytes: number
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
    for (const session of this.#sessions) {
      const code = session.overdue(now, this.#maxBufferBytes)
      if (code === undefined) continue
      if (code === 4001)
        session.sendError(new ProtocolError('unauthorized', 'the token has expired'), undefined)
      session.close(code)
    }
  }
}
