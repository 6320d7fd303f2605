/** A bus on a real Redis, what its listener was told, and ways to break it from outside. */
import type { NodeId } from '@starling/protocol/ids'
import type { Redis } from 'ioredis'
import type { BusEvent } from '../../src/bus/bus.ts'
import { type Channels, channelsOf } from '../../src/bus/channels.ts'
import { createPlacement, type Placement } from '../../src/bus/placement.ts'
import { RedisBus } from '../../src/bus/redis-bus.ts'
import type { PresenceBatch } from '../../src/services/ports.ts'
import type { Keys } from '../../src/store/keys.ts'
import type { RedisClient } from '../../src/store/redis.ts'
import { redisTargetOf, silent, someNode } from './server-store.ts'

/** What a listener can be told, in the order it was. */
export type Told =
  | { is: 'event'; event: BusEvent }
  | { is: 'presence'; batch: PresenceBatch }
  | { is: 'canary'; bucket: number; round: number }
  | { is: 'broken' | 'mended'; buckets: ReadonlySet<number> }

type Seen = (addresses: readonly string[]) => readonly string[]

export class BusUnderTest {
  readonly node: NodeId
  readonly bus: RedisBus
  readonly channels: Channels
  readonly told: Told[] = []
  /** The feeds' own connections, the newest last. */
  readonly feeds: Redis[] = []
  /** How often the placement has been asked for. */
  looks = 0
  /** Sees each new connection of the bus before it connects. */
  onFeed: (client: Redis) => void = () => {}
  /** Hears canaries as well. */
  onCanary: (bucket: number) => void = () => {}
  readonly #commands: RedisClient
  #wake: () => void = () => {}

  private constructor(url: string, commands: RedisClient, keys: Keys, seen: Seen) {
    this.node = someNode()
    this.channels = channelsOf(keys, this.node)
    this.#commands = commands
    const placement = createPlacement(redisTargetOf(url), keys, commands)
    const watched: Placement = {
      ...placement,
      locate: async () => {
        this.looks += 1
        return seen(await placement.locate())
      },
      open: (address) => {
        const client = placement.open(address)
        this.feeds.push(client)
        this.onFeed(client)
        return client
      },
    }
    const note = (told: Told) => {
      this.told.push(told)
      this.#wake()
    }
    this.bus = new RedisBus({
      commands,
      placement: watched,
      channels: this.channels,
      listener: {
        event: (event) => note({ is: 'event', event }),
        presence: (batch) => note({ is: 'presence', batch }),
        canary: (bucket, round) => {
          this.onCanary(bucket)
          note({ is: 'canary', bucket, round })
        },
        broken: (buckets) => note({ is: 'broken', buckets: new Set(buckets) }),
        mended: (buckets) => note({ is: 'mended', buckets: new Set(buckets) }),
      },
      log: silent,
    })
  }

  /** @param seen what a look at the layout shows, given how it is */
  static async start(
    url: string,
    commands: RedisClient,
    keys: Keys,
    seen: Seen = (addresses) => addresses,
  ): Promise<BusUnderTest> {
    const under = new BusUnderTest(url, commands, keys, seen)
    await under.bus.start()
    return under
  }

  /** Waits until what was told satisfies `holds`. */
  async until(holds: (told: Told[]) => boolean): Promise<void> {
    while (!holds(this.told)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Waits until these buckets have been mended. */
  untilMended(buckets: Iterable<number>): Promise<void> {
    const wanted = [...buckets]
    return this.until((told) => {
      const mended = new Set(told.flatMap((one) => (one.is === 'mended' ? [...one.buckets] : [])))
      return wanted.every((bucket) => mended.has(bucket))
    })
  }

  /** Publishes a frame to this node in every one of the buckets, and waits until all of them were heard. */
  async hears(buckets: readonly number[], words: string): Promise<void> {
    const frame = (bucket: number) => `${words} ${bucket}`
    await Promise.all(
      buckets.map((bucket) => {
        const text = frame(bucket)
        return this.#commands.spublish(this.channels.own(bucket), `f user:x - ${text.length}\n${text}`)
      }),
    )
    await this.until((told) => {
      const frames = new Set(told.flatMap((one) => (one.is === 'event' ? [one.event] : [])).map(textOf))
      return buckets.every((bucket) => frames.has(frame(bucket)))
    })
  }
}

const textOf = (event: BusEvent) => ('frame' in event ? event.frame.toString() : '')
