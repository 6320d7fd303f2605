/**
 * The bus on Redis' sharded pub/sub. It owns its subscriptions: a plain connection per master, each bucket placed
 * where its slot lives, placed again on every change of topology and every closed line. (Left to the client library,
 * a failover brought back 1 of a dead shard's 336 channels and every PING went on succeeding.)
 */

import type { InboxPosition, MessageId, SessionId } from '@starling/protocol/ids'
import { type Redis, ReplyError } from 'ioredis'
import type { Log } from '../lib/log.ts'
import type { PresenceBatch } from '../services/ports.ts'
import type { RedisClient } from '../store/redis.ts'
import { redisFault } from '../store/script.ts'
import type { Bus, BusListener, Order } from './bus.ts'
import type { Channels } from './channels.ts'
import { canaryEntry, type Entry, markNumbers, presenceEntry, readEntries } from './envelope.ts'
import type { Placement } from './placement.ts'

/** One connection that hears. */
interface Feed {
  readonly address: string
  readonly client: Redis
  readonly connected: Promise<void>
}

const RETRY_MS = 250
/** From one closed line's look at the placement to the next one's, on average: a failover cuts lines as fast as they come. */
const PAUSE_MS = 100

export class RedisBus implements Bus {
  readonly #commands: RedisClient
  readonly #placement: Placement
  readonly #channels: Channels
  readonly #listener: BusListener
  readonly #log: Log
  /** By address. */
  readonly #feeds = new Map<string, Feed>()
  /** bucket → the feed that is known to hear it */
  readonly #placed: (Feed | undefined)[]
  /** Buckets that were heard once: when such a one is placed again, something was missed. */
  readonly #heard = new Set<number>()
  #placing: Promise<void> | undefined
  #again = false
  #timer: NodeJS.Timeout | undefined
  /** When a closed line may have the placement looked at again, ms of performance.now(). */
  #notBefore = 0
  #closed = false

  constructor(deps: {
    commands: RedisClient
    placement: Placement
    channels: Channels
    listener: BusListener
    log: Log
  }) {
    this.#commands = deps.commands
    this.#placement = deps.placement
    this.#channels = deps.channels
    this.#listener = deps.listener
    this.#log = deps.log
    this.#placed = deps.channels.ofBucket.map(() => undefined)
  }

  /** Subscribes everything; resolves when the feed is whole. */
  async start(): Promise<void> {
    while (!this.whole && !this.#closed) {
      await this.#place()
      if (!this.whole) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  get whole(): boolean {
    return this.#placed.every((feed) => feed !== undefined)
  }

  /** How many buckets are heard. */
  get subscribed(): number {
    return this.#placed.filter((feed) => feed !== undefined).length
  }

  async publishPresence(batch: PresenceBatch): Promise<void> {
    try {
      await this.#commands.spublish(this.#channels.presence, presenceEntry(JSON.stringify(batch)))
    } catch (fault) {
      throw redisFault(fault)
    }
  }

  async sendCanary(buckets: readonly number[], round: number): Promise<void> {
    try {
      await Promise.all(
        buckets.map((bucket) =>
          this.#commands.spublish(this.#channels.own(bucket), canaryEntry(bucket, round)),
        ),
      )
    } catch (fault) {
      throw redisFault(fault)
    }
  }

  restart(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) {
      const feed = this.#placed[bucket]
      if (feed) this.#drop(feed)
    }
    this.#kick()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const feed of this.#feeds.values()) feed.client.disconnect()
    this.#feeds.clear()
    await this.#placing
  }

  /** Has the placement looked at: at once, and after a pause where that was so a moment ago. One look at a time. */
  #kick(): void {
    if (this.#closed) return
    if (this.#placing) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    const now = performance.now()
    if (now < this.#notBefore) {
      this.#timer = setTimeout(() => this.#kick(), this.#notBefore - now)
      return
    }
    // Not all gateways in step.
    this.#notBefore = now + PAUSE_MS * (0.5 + Math.random())
    void this.#place()
  }

  #place(): Promise<void> {
    clearTimeout(this.#timer)
    this.#placing ??= this.#placeOnce()
      .catch((fault: unknown) =>
        this.#log.warn({ fault: String(fault) }, 'bus: cannot place the channels now'),
      )
      .finally(() => {
        this.#placing = undefined
        if (this.#closed) return
        if (this.#again) {
          this.#again = false
          return this.#kick()
        }
        const wait = this.whole ? this.#placement.everyMs : RETRY_MS
        if (wait !== undefined) this.#timer = setTimeout(() => void this.#place(), wait)
      })
    return this.#placing
  }

  async #placeOnce(): Promise<void> {
    const wanted = await this.#placement.locate()
    if (this.#closed) return
    const moves = new Map<string, number[]>()
    for (const [bucket, address] of wanted.entries()) {
      if (this.#placed[bucket]?.address === address || address === '') continue
      const list = moves.get(address)
      if (list) list.push(bucket)
      else moves.set(address, [bucket])
    }
    const mended = new Set<number>()
    await Promise.all([...moves].map(([address, buckets]) => this.#subscribe(address, buckets, mended)))
    for (const feed of this.#feeds.values()) {
      if (!this.#placed.includes(feed)) this.#drop(feed)
    }
    if (mended.size > 0 && !this.#closed) {
      this.#log.info({ buckets: mended.size }, 'bus: feed mended')
      this.#listener.mended(mended)
    }
  }

  /** Subscribes buckets at one address; what fails there stays unplaced and is tried again. */
  async #subscribe(address: string, buckets: number[], mended: Set<number>): Promise<void> {
    const feed = this.#feedAt(address)
    try {
      await feed.connected
    } catch {
      this.#drop(feed)
      return
    }
    this.#unplace(buckets) // those that lived elsewhere, and are heard nowhere until they are subscribed here
    const isWhole = await this.#listen(feed.client, buckets, (bucket) => {
      if (this.#feeds.get(address) !== feed) return // the line broke meanwhile
      this.#placed[bucket] = feed
      if (this.#heard.has(bucket)) mended.add(bucket)
      this.#heard.add(bucket)
    })
    if (!isWhole) this.#drop(feed)
  }

  /**
   * Subscribes buckets on one line, until each has been taken or refused. Redis refuses what has moved meanwhile: that the
   * client library tells by an event alone, and leaves the command to its time-out.
   * @returns whether every answer came; without one, after a time-out, too, the line is at its end
   */
  async #listen(
    client: Redis,
    buckets: readonly number[],
    onTaken: (bucket: number) => void,
  ): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    let open = buckets.length
    const onAnswer = () => {
      open -= 1
      if (open === 0) resolve(true)
    }
    client.on('moved', onAnswer)
    for (const bucket of buckets) {
      // One command a bucket: in a cluster all channels of a command must lie in one slot.
      client.ssubscribe(...this.#channels.ofBucket[bucket]!).then(
        () => {
          onTaken(bucket)
          onAnswer()
        },
        (fault: unknown) => (fault instanceof ReplyError ? onAnswer() : resolve(false)),
      )
    }
    try {
      return await promise
    } finally {
      client.off('moved', onAnswer)
    }
  }

  #feedAt(address: string): Feed {
    const known = this.#feeds.get(address)
    if (known) return known
    const client = this.#placement.open(address)
    const feed: Feed = { address, client, connected: client.connect() }
    feed.connected.catch(() => {}) // whoever subscribes sees it
    client.on('error', (fault: Error) =>
      this.#log.debug({ address, fault: fault.message }, 'bus: feed fault'),
    )
    client.on('close', () => {
      if (this.#feeds.get(address) !== feed) return
      // One that never heard anything is only a try that failed; there are several a second while Redis is away.
      this.#log[this.#placed.includes(feed) ? 'warn' : 'debug']({ address }, 'bus: feed lost')
      this.#drop(feed)
      this.#kick()
    })
    client.on('smessageBuffer', (_channel: Buffer, payload: Buffer) => {
      if (this.#feeds.get(address) === feed) this.#hear(payload)
    })
    this.#feeds.set(address, feed)
    return feed
  }

  #drop(feed: Feed): void {
    if (this.#feeds.get(feed.address) !== feed) return
    this.#feeds.delete(feed.address)
    feed.client.disconnect()
    const all = this.#placed.keys()
    this.#unplace([...all].filter((bucket) => this.#placed[bucket] === feed))
  }

  /** Says that buckets are not heard any more, before anything can be heard of them anew. */
  #unplace(buckets: readonly number[]): void {
    const broken = new Set(buckets.filter((bucket) => this.#placed[bucket] !== undefined))
    for (const bucket of broken) this.#placed[bucket] = undefined
    if (broken.size > 0) this.#listener.broken(broken)
  }

  #hear(payload: Buffer): void {
    for (const entry of readEntries(payload)) {
      try {
        this.#handle(entry)
      } catch (fault) {
        this.#log.error(
          { err: fault, kind: entry.kind, topic: entry.topic },
          'bus: an entry could not be handled',
        )
      }
    }
  }

  #handle({ kind, topic, mark, frame }: Entry): void {
    switch (kind) {
      case 'm':
        return this.#listener.event({
          kind: 'message',
          topic,
          position: mark as MessageId & InboxPosition,
          frame,
        })
      case 'f':
        return this.#listener.event({ kind: 'frame', topic, frame })
      case 't':
        return this.#listener.event({ kind: 'typing', topic, frame })
      case 'o':
        return this.#listener.event({ kind: 'others', topic, except: mark as SessionId, frame })
      case 's': {
        const [sessions, devices] = markNumbers(mark)
        return this.#listener.event({ kind: 'sessions', topic, sessions, devices, frame })
      }
      case 'c':
        return this.#listener.event({ kind: 'control', topic, order: JSON.parse(frame.toString()) as Order })
      case 'p':
        return this.#listener.presence(JSON.parse(frame.toString()) as PresenceBatch)
      case 'k':
        return this.#listener.canary(...markNumbers(mark))
    }
  }
}
