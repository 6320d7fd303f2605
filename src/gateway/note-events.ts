/**
 * What is measured of the bus's events on their way to the fan-out: how late messages come, and how many sockets
 * here each event is for.
 */
import { msOf, type UserId } from '@starling/protocol/ids'
import type { BusEvent } from '../bus/bus.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Hub } from './hub.ts'

const USER = 'user:'

/** @param deps.followers how many sockets follow a topic of the transports' own fan-out */
export function noteEvents(deps: {
  metrics: Pick<Metrics, 'deliveryLatency' | 'fanout'>
  hub: Pick<Hub, 'users'>
  followers: (topic: string) => number
}): (event: BusEvent) => void {
  const { metrics, hub, followers } = deps
  return (event) => {
    if (event.kind === 'control') return
    const { topic } = event
    if (event.kind === 'message') {
      // Two machines' clocks: what seems to come before it was stored came at once.
      metrics.deliveryLatency.observe(Math.max(0, Date.now() - msOf(event.position)) / 1000)
    }
    metrics.fanout.observe(
      topic.startsWith(USER)
        ? (hub.users.get(topic.slice(USER.length) as UserId)?.sessions.length ?? 0)
        : followers(topic),
    )
  }
}
