/**
 * What the handlers of frames work with.
 */
import type { Limits } from '@starling/protocol/frames'
import type { Load } from '../lib/load.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Messaging } from '../services/messaging.ts'
import type { ConvPort, InboxPort, SessionPort } from '../services/ports.ts'
import type { Presence } from '../services/presence.ts'
import type { Receipts } from '../services/receipts.ts'
import type { Sync } from '../services/sync.ts'
import type { Tokens } from '../services/tokens.ts'
import type { Departures } from './departures.ts'
import type { Doubts } from './doubts.ts'
import type { Follow } from './follow.ts'
import type { Hub } from './hub.ts'
import type { Watches } from './watches.ts'

export interface GatewayContext {
  readonly hub: Hub
  readonly doubts: Doubts
  readonly departures: Departures
  readonly follow: Follow
  readonly watches: Watches
  readonly tokens: Pick<Tokens, 'verify'>
  readonly messaging: Messaging
  readonly receipts: Receipts
  readonly sync: Sync
  readonly presence: Presence
  readonly sessions: SessionPort
  readonly inboxes: InboxPort
  readonly convs: ConvPort
  readonly limits: Limits
  readonly nodeName: string
  readonly load: Pick<Load, 'overloaded'>
  readonly metrics: Pick<Metrics, 'hellos' | 'frames' | 'errors' | 'sends' | 'ackLatency' | 'closes'>
  readonly log: Log
}
