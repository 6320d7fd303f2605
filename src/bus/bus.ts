/**
 * The bus as the gateway sees it: what comes in for this node, and presence to and from everybody.
 */
import type { GroupId, InboxPosition, MessageId, SessionId, UserId } from '@starling/protocol/ids'
import type { PresenceBatch } from '../services/ports.ts'

/** An order that travels in order with the messages. */
export type Order =
  | { do: 'enter'; user: UserId; group: GroupId; id: MessageId }
  | { do: 'exit'; user: UserId; group: GroupId; id: MessageId }
  | { do: 'kick'; user: UserId; session: SessionId | '*' }

export type BusEvent =
  | { kind: 'message'; topic: string; position: MessageId & InboxPosition; frame: Buffer }
  | { kind: 'frame'; topic: string; frame: Buffer }
  | { kind: 'typing'; topic: string; frame: Buffer }
  | { kind: 'others'; topic: string; except: SessionId; frame: Buffer }
  | { kind: 'sessions'; topic: string; sessions: number; devices: number; frame: Buffer }
  | { kind: 'control'; topic: string; order: Order }

export interface BusListener {
  event(event: BusEvent): void
  presence(batch: PresenceBatch): void
  canary(bucket: number, round: number): void
  /** The feed of these buckets has broken: from now on orders may be missed, until `mended` has been said of them. */
  broken(buckets: ReadonlySet<number>): void
  /** The feed of these buckets was broken and is whole again: what was published meanwhile is lost. */
  mended(buckets: ReadonlySet<number>): void
}

export interface Bus {
  /** Whether every channel is subscribed. */
  readonly whole: boolean
  publishPresence(batch: PresenceBatch): Promise<void>
  /** Sends this node a canary through these buckets. */
  sendCanary(buckets: readonly number[], round: number): Promise<void>
  /** Subscribes these buckets anew, on a fresh connection. */
  restart(buckets: ReadonlySet<number>): void
  close(): Promise<void>
}
