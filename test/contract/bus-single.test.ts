/** The bus on a single Redis. */
import { Redis } from 'ioredis'
import { describe } from 'vitest'
import { startRedis } from '../support/redis.ts'
import { busContract } from './bus.ts'

describe('on a single Redis', () =>
  busContract(async () => {
    const { url, stop } = await startRedis()
    const admin = new Redis(url)
    return {
      url,
      killFeeds: async () => void (await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')),
      async stop() {
        admin.disconnect()
        await stop()
      },
    }
  }))
