/**
 * The channels of this node: its own in every bucket, and those of presence, which all nodes hear.
 * They are fixed from boot on, whoever connects or joins.
 */
import type { NodeId } from '@starling/protocol/ids'
import type { Keys } from '../store/keys.ts'

/** In how many buckets presence is told: enough to spread over the masters, few enough to hear them all. */
const PRESENCE_BUCKETS = 4

export interface Channels {
  /** What to subscribe in each bucket. */
  readonly ofBucket: readonly (readonly string[])[]
  /** Where this node tells presence. */
  readonly presence: string
  /** This node's own channel in a bucket. */
  own(bucket: number): string
}

export function channelsOf(keys: Keys, node: NodeId): Channels {
  const shared = Math.min(PRESENCE_BUCKETS, keys.feeds)
  const own = (bucket: number) => `${keys.toInBucket(bucket)}${node}`
  return {
    ofBucket: Array.from({ length: keys.feeds }, (_, bucket) =>
      bucket < shared ? [own(bucket), keys.presence(bucket)] : [own(bucket)],
    ),
    presence: keys.presence(keys.bucketOf(node) % shared),
    own,
  }
}
