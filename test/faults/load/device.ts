/** What the load knows of a client, whether it stands on the SDK or on raw frames. */
import type { ClientInfo } from '../history.ts'
import type { HttpAccess } from './history-api.ts'
import type { Recorder } from './recorder.ts'
import type { Tap } from './tapped-socket.ts'

export interface Device {
  readonly info: ClientInfo
  readonly tap: Tap
  /** Sends that are not settled. */
  readonly pending: number
  /** Connected, with all that was missed. */
  readonly live: boolean
  /** What went wrong beyond lost lines and refusals. */
  readonly faults: string[]
  connect(): void
  send(to: string, text: string, ref: string): void
  /** Asks for everything after what is known. Rejects where the line breaks before. */
  sync(): Promise<void>
  /** Leaves for good. */
  close(): Promise<void>
  /** Drops the line without a word; it comes back by itself. */
  drop(): void
}

export interface DeviceOptions {
  info: ClientInfo
  access: HttpAccess
  recorder: Recorder
  /** Conversations of the user, and where the history to be judged begins; undefined before it does. */
  readable: () => ReadonlyMap<string, string> | undefined
}
