/** What every bus must do, whatever Redis carries it. */
import { once } from 'node:events'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Canary } from '../../src/cluster/canary.ts'
import { BusUnderTest, type Told } from '../support/server-bus.ts'
import { StoreWorld, silent } from '../support/server-store.ts'

export interface BusRedis {
  url: string
  stop(): Promise<void>
  /** Ends every connection that has subscriptions, on every master, from the server's side. */
  killFeeds(): Promise<void>
}

/** Before the bus looks again for a line that was opened a moment ago. */
const LONGEST_PAUSE_MS = 150

/** Cuts a line once so many subscriptions have been sent over it. */
function cutAfter(client: Redis, count: number): void {
  const send = client.ssubscribe.bind(client)
  let sent = 0
  vi.spyOn(client, 'ssubscribe').mockImplementation((...channels) => {
    sent += 1
    const answer = send(...(channels as [string]))
    if (sent === count) client.disconnect()
    return answer
  })
}

/** @param start brings up a Redis that nobody else uses */
export function busContract(start: () => Promise<BusRedis>): void {
  let redis: BusRedis
  let world: StoreWorld
  /** Those that have channels; one in the middle. */
  let every: number[]
  let some: number
  beforeAll(async () => {
    redis = await start()
    world = await StoreWorld.open(redis.url)
    every = Array.from({ length: world.keys.feeds }, (_, bucket) => bucket)
    some = every[Math.floor(every.length / 2)]!
  }, 60_000)
  afterAll(async () => {
    world.close()
    await redis.stop()
  })

  const newBus = async () => {
    const under = await BusUnderTest.start(redis.url, world.redis, world.keys)
    onTestFinished(() => under.bus.close())
    return under
  }
  const bucketsOf = (told: Told[], is: 'broken' | 'mended') =>
    told.flatMap((one) => (one.is === is ? [...one.buckets] : [])).toSorted((a, b) => a - b)

  describe('a bus', () => {
    it('hears its node in every bucket, and says at once that it does', async () => {
      const one = await newBus()
      expect(one.bus.whole).toBe(true)
      await one.hears(every, 'hello')
      expect(one.told.filter(({ is }) => is !== 'event')).toEqual([])
    })

    it('hears nothing of other nodes, but presence of all', async () => {
      const [one, two] = [await newBus(), await newBus()]
      await one.hears(every.slice(0, 3), 'for one')
      const batch = { on: [['__proto__', 3]], off: [] } as never
      await two.bus.publishPresence(batch)
      for (const bus of [one, two]) await bus.until((told) => told.some(({ is }) => is === 'presence'))
      await two.hears(every.slice(0, 3), 'for two')
      expect(two.told.find(({ is }) => is === 'presence')).toEqual({ is: 'presence', batch })
      const heard = two.told.filter(({ is }) => is === 'event')
      expect(heard).toHaveLength(every.slice(0, 3).length)
    })

    it('brings its own canary back through every bucket', async () => {
      const one = await newBus()
      await one.bus.sendCanary(every, 7)
      await one.until((told) => told.length >= every.length)
      const rounds = one.told.map((told) => (told.is === 'canary' ? [told.bucket, told.round] : []))
      expect(rounds.toSorted(([a = 0], [b = 0]) => a - b)).toEqual(every.map((bucket) => [bucket, 7]))
    })

    it('[P4] is whole again after its lines were cut, and says which buckets missed something, before and after', async () => {
      const one = await newBus()
      await redis.killFeeds()
      await one.untilMended(every)
      expect(one.bus.whole).toBe(true)
      expect([bucketsOf(one.told, 'broken'), bucketsOf(one.told, 'mended')]).toEqual([every, every])
      const doubtful = new Set<number>()
      for (const told of one.told) {
        if (told.is === 'broken') for (const bucket of told.buckets) doubtful.add(bucket)
        if (told.is === 'mended')
          for (const bucket of told.buckets) expect(doubtful.delete(bucket)).toBe(true)
      }
      await one.hears(every, 'again')
    })

    it('[P4] comes through lines that are cut again as soon as they stand, and in the middle of subscribing', async () => {
      const one = await newBus()
      let cuts = 0
      one.onFeed = (client) => {
        cuts += 1
        if (cuts <= 3) client.once('connect', () => client.disconnect())
        else if (cuts <= 6) cutAfter(client, Math.ceil(every.length / 10))
      }
      await redis.killFeeds()
      await one.until(() => cuts > 6)
      await one.untilMended(every)
      expect(one.bus.whole).toBe(true)
      await one.hears(every, 'still here')
    })

    it('[P4] opens a lost line anew at once, and one that is lost again after a pause', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      onTestFinished(() => void vi.useRealTimers())
      const one = await newBus()
      const lose = async () => {
        const feed = one.feeds.at(-1)!
        const closed = once(feed, 'close')
        feed.disconnect()
        await closed
      }
      const start = one.looks
      await lose()
      expect(one.looks).toBe(start + 1)
      await one.until((told) => told.at(-1)?.is === 'mended')

      await lose()
      expect(one.looks).toBe(start + 1)
      expect(one.bus.whole).toBe(false)
      vi.advanceTimersByTime(LONGEST_PAUSE_MS)
      expect(one.looks).toBe(start + 2)
      await one.until((told) => told.at(-1)?.is === 'mended')
      expect(one.bus.whole).toBe(true)
    })

    it('subscribes anew when it is told to', async () => {
      const one = await newBus()
      const before = one.feeds.length
      one.bus.restart(new Set([some]))
      expect(one.bus.whole).toBe(false)
      await one.untilMended([some])
      expect(one.feeds.length).toBe(before + 1)
      await one.hears(every, 'anew')
    })

    it('[P4] is found silent by the canary though every line stands, and mended', async () => {
      const one = await newBus()
      const canary = new Canary({ bus: () => one.bus, buckets: world.keys.feeds, log: silent })
      one.onCanary = (bucket) => canary.heard(bucket)
      // What a failover can leave behind: a connection that lives and has lost its subscription without a word.
      const [channel] = one.channels.ofBucket[some]!
      await Promise.all(one.feeds.map((feed) => feed.sunsubscribe(channel!).catch(() => {})))
      expect(one.bus.whole).toBe(true)
      onTestFinished(() => canary.close())
      canary.start()
      await one.untilMended([some])
      await one.hears(every, 'found')
      expect(canary.alive).toBe(true)
    })

    it('is silent once it is closed, and may be closed twice', async () => {
      const one = await newBus()
      await Promise.all([one.bus.close(), one.bus.close()])
      await one.bus.close()
      // Redis sees the end of the line a moment later.
      const receivers = () => world.redis.spublish(one.channels.own(some), 'f user:x - 0\n')
      await expect.poll(receivers).toBe(0)
      expect(one.told).toEqual([])
    })
  })
}
