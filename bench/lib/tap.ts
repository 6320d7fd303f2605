/**
 * A tap on the line to Redis: passes everything on, and counts the round trips. What is asked before anything asked
 * has been answered belongs to the same trip. What comes unasked, as on a subscriber's line, is not an answer.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

export interface Tap {
  readonly url: string
  /** Starts to count anew. */
  reset(): void
  readonly roundTrips: number
  close(): void
}

export async function openTap(redisUrl: string): Promise<Tap> {
  const target = new URL(redisUrl)
  let [trips, isAnswered] = [0, true]
  const server = createServer({ noDelay: true }, (client) => {
    const redis = connect({ host: target.hostname, port: Number(target.port), noDelay: true })
    let isAsking = false
    client.on('data', () => {
      if (isAnswered) trips++
      isAnswered = false
      isAsking = true
    })
    redis.on('data', () => {
      if (isAsking) isAnswered = true
      isAsking = false
    })
    client.pipe(redis).pipe(client)
    for (const side of [client, redis]) {
      side.on('error', () => {
        client.destroy()
        redis.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reset() {
      ;[trips, isAnswered] = [0, true]
    },
    get roundTrips() {
      return trips
    },
    close: () => void server.close(),
  }
}
