/**
 * Every key and channel of Starling. What must change together belongs to one owner; every owner lies in one
 * of a fixed number of buckets, and the bucket is the hash tag: `im:{417}:dm:alice:bob:log`. So one script
 * changes an owner atomically, on Redis Cluster too, and a write and its publish lie in one slot.
 */
import calculateSlot from 'cluster-key-slot'

/** The number of buckets of a new deployment; kept in Redis from its first boot on. */
export const DEFAULT_BUCKETS = 1024

/** The owner of a user's keys. */
export const userOwner = (user: string): string => `user:${user}`

export class Keys {
  readonly prefix: string
  readonly buckets: number
  /**
   * How many channels a node has: one in each bucket, so that in a cluster a write and its publish lie in one slot; on a
   * single Redis one in all, so that what is told there has one order.
   */
  readonly feeds: number

  /**
   * @param prefix what all keys start with
   * @param buckets a power of two up to 16,384
   * @param feeds as many, or 1
   */
  constructor(prefix: string, buckets: number, feeds: number) {
    this.prefix = prefix
    this.buckets = buckets
    this.feeds = feeds
  }

  /** @returns the bucket of an owner: crc16(owner) mod the number of buckets */
  bucketOf(owner: string): number {
    // cluster-key-slot gives crc16 mod 16,384, of which our number of buckets is a divisor.
    return calculateSlot(owner) % this.buckets
  }

  /** @returns what the keys of a bucket's owners start with */
  bucket(bucket: number): string {
    return `${this.prefix}{${bucket}}:`
  }

  /** @returns what the keys of an owner start with, the last colon included */
  owner(owner: string): string {
    return `${this.bucket(this.bucketOf(owner))}${owner}:`
  }

  /** @returns the bucket by whose channels is told what concerns an owner */
  feedOf(owner: string): number {
    return this.bucketOf(owner) % this.feeds
  }

  /** @returns what the nodes' channels for an owner start with; the node's id follows */
  to(owner: string): string {
    return this.toInBucket(this.bucketOf(owner))
  }

  /** The same for all owners of a bucket. */
  toInBucket(bucket: number): string {
    return `${this.bucket(bucket % this.feeds)}to:`
  }

  /** @returns the users of a bucket who are online: a sorted set, all scores 0 */
  online(bucket: number): string {
    return `${this.bucket(bucket)}online`
  }

  /** @returns the owners of a bucket of which a node holds a socket: a set, for the reaper */
  held(bucket: number, node: string): string {
    return `${this.bucket(bucket)}held:${node}`
  }

  /** @returns what a node has still to tell of changes in a bucket's groups: a hash, for the node and its reaper */
  untold(bucket: number, node: string): string {
    return `${this.bucket(bucket)}untold:${node}`
  }

  /** @returns the channel of presence in one bucket, which all gateways hear */
  presence(bucket: number): string {
    return `${this.bucket(bucket)}presence`
  }

  /** @returns a key of the cluster as a whole */
  cluster(name: 'nodes' | 'reaping' | 'info' | 'buckets'): string {
    return `${this.prefix}{cluster}:${name}`
  }
}
