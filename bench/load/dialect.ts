/**
 * What a load generator has to know of a system's frames: how a session opens, how a send is written, what a frame
 * is. All the rest of a generator is the same for every peer.
 */
import type { Login } from './login.ts'
import type { Stamp } from './stamp.ts'

/**
 * `greeting`: the server speaks first, and now it is our turn. `welcome`: the session stands. `message`: one or more
 * messages. `ping`: to be answered with `pong`. `refusal`: a send that the server is too busy for, and surely hasn't stored.
 */
export type Kind = 'greeting' | 'welcome' | 'ack' | 'message' | 'ping' | 'refusal' | 'error' | 'other'

export interface Dialect {
  readonly path: string
  readonly subprotocol?: string
  /** Whether the login waits for the server's greeting; otherwise it goes out as soon as the line stands. */
  readonly greeted: boolean
  /** Answers a `ping` of the application's own. */
  readonly pong?: string
  /** @returns the frames that open a session; with `catchesUp`, that ask for all that was missed, too */
  login(login: Login, catchesUp: boolean): string[]
  /** @returns a writer of sends to one target; the stamp is their ref, and comes back in ack and message */
  sends(to: string): (stamp: Stamp) => string
  kindOf(data: Buffer, start: number, end: number): Kind
}
