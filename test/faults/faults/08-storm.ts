/** Thousands of connections break at once and come back as clients do: when are all live, and what do the others feel? */
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Fault } from '../fault.ts'
import { nowMs } from '../history.ts'
import { ackTimes } from '../stage/figures.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'

const CONNECTIONS = { all: 5_000, quick: 1_000 }
/** How many are opened at once at the beginning. */
const AT_ONCE = 100
const BACKOFF_MS = { first: 500, last: 30_000 }
const GIVE_UP_MS = 120_000

/** A connection that comes back by itself, with the back-off of the SDK, and says when it is synced. */
class Bird {
  live = false
  tries = 0
  readonly #url: () => string
  readonly #hello: string
  #socket: WebSocket | undefined
  #timer: NodeJS.Timeout | undefined
  #attempt = 0
  #closed = false
  #synced: (() => void) | undefined

  constructor(url: () => string, token: string) {
    this.#url = url
    this.#hello = JSON.stringify({ op: 'hello', ref: 'h', token, device: 'bird', inbox: '0-0' })
  }

  fly(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#synced = resolve
    this.#connect()
    return promise
  }

  drop(): void {
    // At once: the socket says so only when this process gets round to it.
    this.live = false
    this.#socket?.terminate()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.drop()
  }

  #connect(): void {
    this.tries++
    const socket = new WebSocket(`${this.#url().replace('http', 'ws')}/ws`, 'starling.v1', {
      perMessageDeflate: false,
    })
    this.#socket = socket
    socket.on('open', () => socket.send(this.#hello))
    socket.on('message', (data: Buffer) => {
      const op = data.subarray(7, 14).toString()
      if (op === 'welcome') socket.send('{"op":"sync","ref":"s"}')
      else if (op.startsWith('synced')) {
        this.live = true
        this.#attempt = 0
        this.#synced?.()
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.live = false
      if (this.#closed) return
      const wait = Math.random() * Math.min(BACKOFF_MS.last, BACKOFF_MS.first * 2 ** this.#attempt++)
      this.#timer = setTimeout(() => this.#connect(), wait)
    })
  }
}

export const fault: Fault = {
  number: 8,
  title: 'A reconnect storm',
  scenes: [
    scene({
      name: 'all connections of a crowd dropped at once',
      redis: () => SingleRedis.start(),
      async act({ trial, scale }) {
        const { access, load, gateways } = trial
        const count = scale.quick ? CONNECTIONS.quick : CONNECTIONS.all
        const url = () => access.urls[Math.floor(Math.random() * access.urls.length)]!
        const birds = Array.from({ length: count }, (_, n) => new Bird(url, access.token(`bird-${n}`)))
        try {
          for (let at = 0; at < count; at += AT_ONCE) {
            await Promise.all(birds.slice(at, at + AT_ONCE).map((bird) => bird.fly()))
          }
          await sleep(2_000)
          // What happened up to here is not what is asked about.
          const lag = 'nodejs_eventloop_lag_max_seconds'
          await Promise.all(gateways.map((gateway) => trial.metric(gateway, lag)))
          const tries = birds.reduce((sum, bird) => sum + bird.tries, 0)
          const startedAt = nowMs()
          for (const bird of birds) bird.drop()
          const left = () => birds.filter(({ live }) => !live).length
          while (nowMs() - startedAt < 500 || (left() > 0 && nowMs() - startedAt < GIVE_UP_MS))
            await sleep(20)
          const endedAt = nowMs()
          const lags = await Promise.all(gateways.map((gateway) => trial.metric(gateway, lag)))
          await sleep(1_000)
          const others = ackTimes(load.recorder.records, (at) => at >= startedAt && at <= endedAt)
          const before = ackTimes(load.recorder.records, (at) => at < startedAt && at > startedAt - 2_000)
          trial.expect(left() === 0, `${left()} of ${count} never came back`)
          trial.figure('connections dropped at once', count)
          trial.figure('until all were live again', Math.round(endedAt - startedAt), 'ms')
          trial.figure('tries it took', birds.reduce((sum, bird) => sum + bird.tries, 0) - tries)
          trial.figure('highest event-loop delay of a gateway', Math.round(Math.max(...lags) * 1e3), 'ms')
          trial.figure('ack to other users meanwhile, p99', others.p99, 'ms')
          trial.figure('ack to other users in the 2 s before, p99', before.p99, 'ms')
        } finally {
          for (const bird of birds) bird.close()
        }
      },
    }),
  ],
}
