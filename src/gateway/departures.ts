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
  readonly #presence: Pick<Presence, 'came' | 'left'>
  readonly #log: Log
  #underWay = 0
  /** Called when none is under way any more. */
  #onSettled = () => {}

  constructor(deps: {
    sessions: Pick<SessionPort, 'leave'>
    presence: Pick<Presence, 'came' | 'left'>
    log: Log
  }) {
    this.#sessions = deps.sessions
    this.#presence = deps.presence
    this.#log = deps.log
  }

  /**
   * Says that a session is no more; the last one of a user starts the grace. Resolves when Redis has heard it.
   * @param isUnanswered whether its join was not answered: the user may have come with it, and nobody has been told
   */
  async leave(who: { user: UserId; session: SessionId }, isUnanswered = false): Promise<void> {
    this.#underWay += 1
    while (!(await this.#isHeard(who, isUnanswered))) await setTimeout(RETRY_MS)
    this.#underWay -= 1
    if (this.#underWay === 0) this.#onSettled()
  }

  /** Waits for those under way. @returns whether all were heard within `limitMs` */
  async settle(limitMs: number): Promise<boolean> {
    if (this.#underWay === 0) return true
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve
    })
    await Promise.race([settled, setTimeout(limitMs, undefined, { ref: false })])
    return this.#underWay === 0
  }

  async #isHeard(
    { user, session }: { user: UserId; session: SessionId },
    isUnanswered: boolean,
  ): Promise<boolean> {
    try {
      const { last, online } = await this.#sessions.leave(user, session)
      // A change that was told before is known by its number.
      if (isUnanswered && online !== undefined) this.#presence.came(user, online)
      if (last) this.#presence.left(user, session)
      return true
    } catch (fault) {
      this.#log.debug({ err: fault, user, session }, 'session: cannot leave now')
      return false
    }
  }
}
