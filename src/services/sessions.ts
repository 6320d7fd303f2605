/**
 * Sessions as a resource: listing one's own and closing them, wherever they are.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { SessionInfo } from '@starling/protocol/frames'
import type { SessionId, UserId } from '@starling/protocol/ids'
import type { SessionPort } from './ports.ts'

export class Sessions {
  readonly #sessions: SessionPort

  constructor(sessions: SessionPort) {
    this.#sessions = sessions
  }

  list(user: UserId): Promise<SessionInfo[]> {
    return this.#sessions.list(user)
  }

  /** Closes one session of a user, or all of them with `*`. The gateways that hold them do it and take them off the list. */
  async close(user: UserId, session: SessionId | '*'): Promise<void> {
    switch (await this.#sessions.kick(user, session)) {
      case 'not_found':
        throw new ProtocolError('not_found', 'no such session')
      case 'unheard':
        throw new ProtocolError('unavailable', 'the gateway of a session cannot hear now', { retryIn: 1000 })
      case 'ok':
    }
  }
}
