/**
 * Sessions on their way out of Redis' lists. A departure is repeated until Redis has heard it, since nobody else would
 * take out a session of a node that lives.
 */
import { setTimeout } from 'node:timers/promises'
import type { SessionId, UserId } from '@starling/protocol/ids'
import type { Log } from '../lib/log.ts'
import type { SessionPort } from '../services/ports.ts'
import type { Presence } from '../services/presence.ts'

/** How long to wait with the next try while Redis is away, ms. */
const RETRY_MS = 1_000

export class Departures {
  readonly #sessions: Pick<SessionPort, 'leave'>
  readonly #presence: Pick<Presence, 'left'>
  readonly #log: Log
  readonly #underWay = new Set<Promise<void>>()

  constructor(deps: { sessions: Pick<SessionPort, 'leave'>; presence: Pick<Presence, 'left'>; log: Log }) {
    this.#sessions = deps.sessions
    this.#presence = deps.presence
    this.#log = deps.log
  }

  /** Says that a session is no more; the last one of a user starts the grace. Resolves when Redis has heard it. */
  leave(who: { user: UserId; session: SessionId }): Promise<void> {
    const departure = this.#leave(who).finally(() => this.#underWay.delete(departure))
    this.#underWay.add(departure)
    return departure
  }

  /** Waits for those under way. @returns whether all were heard within `limitMs` */
  async settle(limitMs: number): Promise<boolean> {
    await Promise.race([Promise.all(this.#underWay), setTimeout(limitMs, undefined, { ref: false })])
    return this.#underWay.size === 0
  }

  async #leave({ user, session }: { user: UserId; session: SessionId }): Promise<void> {
    for (;;) {
      try {
        const { last } = await this.#sessions.leave(user, session)
        if (last) this.#presence.left(user, session)
        return
      } catch (fault) {
        this.#log.debug({ err: fault, user, session }, 'session: cannot leave now')
        await setTimeout(RETRY_MS)
      }
    }
  }
}
