/** The same ref at the same moment on three gateways: one message, and three acks that name it. */
import type { ServerFrame } from '@starling/protocol/frames'
import { convOf, type Target } from '@starling/protocol/ids'
import { WebSocket } from 'ws'
import type { Fault } from '../fault.ts'
import { CHANNEL } from '../load/population.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import type { Trial } from '../stage/trial.ts'

const TIMES = 1_000
/** How many refs are under way at once. */
const AT_ONCE = 10
const ACK_WITHIN_MS = 30_000

type Ack = Extract<ServerFrame, { op: 'ack' }>

/** One more connection of a user, to one gateway, that only sends. */
class Line {
  readonly socket: WebSocket
  readonly #waiting = new Map<string, (ack: Ack) => void>()
  readonly #welcome = Promise.withResolvers<void>()

  constructor(url: string, token: string, device: string) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'starling.v1', {
      perMessageDeflate: false,
    })
    this.socket.on('open', () =>
      this.socket.send(JSON.stringify({ op: 'hello', ref: 'hello', token, device })),
    )
    this.socket.on('error', this.#welcome.reject)
    this.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as ServerFrame
      if (frame.op === 'welcome') this.#welcome.resolve()
      else if (frame.op === 'ack') this.#waiting.get(frame.ref)?.(frame)
    })
  }

  get welcome(): Promise<void> {
    return this.#welcome.promise
  }

  send(to: string, ref: string): Promise<Ack> {
    const { promise, resolve, reject } = Promise.withResolvers<Ack>()
    const timer = setTimeout(() => reject(new Error(`no ack of ${ref}`)), ACK_WITHIN_MS)
    this.#waiting.set(ref, (ack) => {
      clearTimeout(timer)
      resolve(ack)
    })
    this.socket.send(JSON.stringify({ op: 'send', ref, to, body: { type: 'text', text: ref } }))
    return promise
  }
}

/** Lines of the racing client, apart from those its device has had. */
const FIRST_LINE = 1_000

/** Sends one ref on all lines at once, and notes what came of it as if the user's own device had done it. */
async function race(
  { load, expect }: Pick<Trial, 'load' | 'expect'>,
  lines: Line[],
  user: string,
  to: string,
  ref: string,
) {
  const client = load.devices.find(({ info }) => info.user === user)!.info.id
  const about = { client, conv: convOf(user, to as Target), ref }
  for (const n of lines.keys()) load.recorder.add({ is: 'send', ...about, line: FIRST_LINE + n, text: ref })
  const acks = await Promise.all(lines.map((line) => line.send(to, ref)))
  for (const [n, { id, dup = false }] of acks.entries()) {
    load.recorder.add({ is: 'ack', ...about, line: FIRST_LINE + n, id, dup })
  }
  expect(
    new Set(acks.map(({ id }) => id)).size === 1,
    `${ref}: acked with ${acks.map(({ id }) => id).join(', ')}`,
  )
  expect(
    acks.filter(({ dup }) => !dup).length === 1,
    `${ref}: ${acks.filter(({ dup }) => !dup).length} first acks`,
  )
}

export const fault: Fault = {
  number: 9,
  title: 'The same ref at the same moment on three gateways',
  scenes: [
    scene({
      name: 'to a user, a group, the channel',
      redis: () => SingleRedis.start(),
      trial: () => ({ env: { SEND_RATE: '1000', SEND_BURST: '1000' } }),
      async act({ trial, scale }) {
        const { load, access, gateways } = trial
        const [group, members] = [...load.groups][0]!
        const user = members[0]!
        const lines = gateways.map(({ url }, n) => new Line(url, access.token(user), `race-${n}`))
        await Promise.all(lines.map(({ welcome }) => welcome))
        const targets = [`user:${load.population.peers.get(user)![0]}`, `group:${group}`]
        const times = scale.quick ? TIMES / 5 : TIMES
        const on = { load, expect: trial.expect.bind(trial) }
        for (let at = 0; at < times; at += AT_ONCE) {
          const refs = Array.from({ length: AT_ONCE }, (_, n) => at + n)
          await Promise.all(
            refs.map((n) => {
              // The channel is dear: it goes to everybody.
              const to = n % 20 === 19 ? `channel:${CHANNEL}` : targets[n % 2]!
              return race(on, lines, user, to, `race-${n}`)
            }),
          )
        }
        for (const { socket } of lines) socket.terminate()
        trial.figure('refs sent on three gateways at once', times)
      },
    }),
  ],
}
