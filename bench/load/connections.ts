/**
 * Generator of connections: sessions that are opened, kept quiet, dropped, and opened again by users for whom
 * messages wait. Knows when the last of them has come.
 */
import { nowUs, until } from './clock.ts'
import { DIALECTS, type DialectName } from './dialects.ts'
import type { Login } from './login.ts'
import { serve } from './serve.ts'
import { forEachAtOnce, openSession } from './session.ts'
import type { LoadSocket } from './socket.ts'
import { readStamp, type Stamp } from './stamp.ts'

export interface Opening {
  dialect: DialectName
  logins: Login[]
  /** How many are on their way at a time; the storm is: all. */
  atOnce: number
}

export interface Return extends Opening {
  /** Messages that wait for each. */
  waiting: number
}

export interface Feeding {
  dialect: DialectName
  from: Login
  to: string[]
  /** Messages to each. */
  count: number
}

export interface Returned {
  /** ms from the beginning of each user's connect to their last message. */
  lastMs: Float64Array
  /** ms until all had all. */
  allMs: number
  lost: number
  doubled: number
}

export type ConnectionsCommands = {
  open: { argument: Opening; result: undefined }
  /** Ends all that were opened, without a good-bye. */
  drop: { argument: undefined; result: undefined }
  /** Opens sessions that ask for what they missed, and waits until all have got it. */
  comeBack: { argument: Return; result: Returned }
  /** Sends to users who are away; all are acked when it returns. */
  feed: { argument: Feeding; result: undefined }
  /** @returns what has befallen the connections so far */
  faults: { argument: undefined; result: string[] }
}

const FEED_IN_FLIGHT = 64
const SILENCE_MS = 10_000
const LOOK_AGAIN_MS = 2
const FAULTS_KEPT = 5

let sockets: LoadSocket[] = []
const faults: string[] = []
const onFault = (fault: string): void => {
  if (faults.length < FAULTS_KEPT) faults.push(fault)
}

async function open({ dialect, logins, atOnce }: Opening): Promise<void> {
  const keep = async (login: Login) => {
    sockets.push(await openSession({ dialect: DIALECTS[dialect], login, onFault }))
  }
  await forEachAtOnce(logins, keep, atOnce)
}

function drop(): void {
  for (const socket of sockets) socket.close()
  sockets = []
}

async function comeBack({ dialect, logins, atOnce, waiting }: Return): Promise<Returned> {
  const stamp: Stamp = { stream: 0, n: 0, dueUs: 0 }
  const startUs = nowUs()
  const lastMs = new Float64Array(logins.length)
  let [missing, doubled, lastSign] = [logins.length * waiting, 0, startUs]
  const connect = async (login: Login, index: number) => {
    const seen = new Set<number>()
    const beginUs = nowUs()
    const socket = await openSession({
      dialect: DIALECTS[dialect],
      login,
      catchesUp: true,
      onFault,
      onMessage(data, start, end) {
        lastSign = nowUs()
        for (let at = readStamp(data, start, end, stamp); at >= 0; at = readStamp(data, at, end, stamp)) {
          if (seen.has(stamp.n)) doubled++
          else missing--
          seen.add(stamp.n)
        }
        if (seen.size === waiting && lastMs[index] === 0) lastMs[index] = (lastSign - beginUs) / 1e3
      },
    })
    sockets.push(socket)
  }
  await forEachAtOnce(logins, connect, atOnce)
  while (missing > 0 && nowUs() - lastSign < SILENCE_MS * 1e3) await until(nowUs() + LOOK_AGAIN_MS * 1e3)
  return { lastMs, allMs: (lastSign - startUs) / 1e3, lost: missing, doubled }
}

async function feed({ dialect: name, from, to, count }: Feeding): Promise<void> {
  const dialect = DIALECTS[name]
  const total = to.length * count
  const done = Promise.withResolvers<void>()
  const writers = to.map((user) => dialect.sends(`user:${user}`))
  let [sent, acked] = [0, 0]
  const send = (socket: LoadSocket) => {
    const [stream, n] = [sent % to.length, Math.floor(sent / to.length)]
    sent++
    socket.send(writers[stream]!({ stream, n, dueUs: nowUs() }))
  }
  const socket = await openSession({
    dialect,
    login: from,
    onFault,
    onAck(_data, _start, _end, line) {
      if (++acked === total) done.resolve()
      if (sent < total) send(line)
    },
  })
  while (sent < Math.min(FEED_IN_FLIGHT, total)) send(socket)
  await done.promise
  socket.close()
}

serve({ open, drop, comeBack, feed, faults: () => faults })
