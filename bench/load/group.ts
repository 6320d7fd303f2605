/**
 * Generator of group messages: writers, and listeners on both gateways. A message counts as under way until all
 * listeners of this process have it, so that the fan-out, not only the log, sets the pace. All listeners must see
 * one order: a message's rank is its place with the first listener who got it, and ranks must grow with all.
 */
import { nowUs, type Times, until } from './clock.ts'
import { kindOf, readStamp, type Stamp, sendFrames } from './frames.ts'
import type { Login } from './login.ts'
import { serve } from './serve.ts'
import { forEachAtOnce, openSession } from './session.ts'
import type { LoadSocket } from './socket.ts'
import { Tally } from './tally.ts'

export interface GroupConnect {
  target: string
  /** The number of this generator's first writer. */
  firstStream: number
  writers: Login[]
  listeners: Login[]
}

export interface GroupLoad extends Times {
  /** Messages under way per writer. */
  inFlight: number
}

export interface GroupSent {
  /** stream → messages acked; each listener of each generator has to get them all */
  acked: Map<number, number>
  unanswered: number
  /** Messages acked, and deliveries to listeners, between measureUs and endUs. */
  ackedInTime: number
  deliveredInTime: number
}

export interface GroupResult {
  lost: number
  doubled: number
  outOfOrder: number
  faults: string[]
  /** The messages in this generator's order, as stream × KEY_BASE + number. */
  order: number[]
}

export type GroupCommands = {
  connect: { argument: GroupConnect; result: undefined }
  load: { argument: GroupLoad; result: GroupSent }
  /** Waits for what is missing. The argument is what all generators have had acked. */
  settle: { argument: Map<number, number>; result: GroupResult }
}

interface Writer {
  stream: number
  socket: LoadSocket
  sent: number
  acked: number
}

interface Listener {
  /** stream → what has come of it */
  tallies: Map<number, Tally>
  rank: number
  contradictions: number
}

const KEY_BASE = 1e8
const SILENCE_MS = 3_000
const LOOK_AGAIN_MS = 50
const FAULTS_KEPT = 5

const writers = new Map<number, Writer>()
const listeners: Listener[] = []
const faults: string[] = []
/** message → its place in the order */
const ranks = new Map<number, number>()
/** own message → listeners who don't have it yet */
const waitingFor = new Map<number, number>()
const stamp: Stamp = { stream: 0, n: 0, dueUs: 0 }
let write: (stamp: Stamp) => string
let window = { measureUs: 0, endUs: 0 }
let ackedInTime = 0
let deliveredInTime = 0
let lastSign = 0

function onFault(fault: string): void {
  if (faults.length < FAULTS_KEPT) faults.push(fault)
}

const isMeasured = (now: number) => now >= window.measureUs && now < window.endUs

async function connect(to: GroupConnect): Promise<void> {
  write = sendFrames(to.target)
  await forEachAtOnce(to.listeners, async (login) => {
    const listener: Listener = { tallies: new Map(), rank: -1, contradictions: 0 }
    listeners.push(listener)
    await openSession({
      login,
      onFault,
      onText: (data, start, end) => {
        if (kindOf(data, start) === 'message' && readStamp(data, start, end, stamp)) hear(listener)
      },
    })
  })
  await forEachAtOnce(to.writers, async (login, index) => {
    const writer: Writer = { stream: to.firstStream + index, socket: undefined as never, sent: 0, acked: 0 }
    writer.socket = await openSession({
      login,
      onFault,
      onText: (data, start) => {
        if (kindOf(data, start) !== 'ack') return
        writer.acked++
        lastSign = nowUs()
        if (isMeasured(lastSign)) ackedInTime++
      },
    })
    writers.set(writer.stream, writer)
  })
}

function hear(listener: Listener): void {
  const { stream, n } = stamp
  lastSign = nowUs()
  if (isMeasured(lastSign)) deliveredInTime++
  tallyOf(listener, stream).note(n)

  const key = stream * KEY_BASE + n
  if (!ranks.has(key)) ranks.set(key, ranks.size)
  const rank = ranks.get(key)!
  if (rank < listener.rank) listener.contradictions++
  else listener.rank = rank

  const missing = waitingFor.get(key)
  if (missing === undefined) return
  if (missing > 1) {
    waitingFor.set(key, missing - 1)
    return
  }
  waitingFor.delete(key)
  if (lastSign < window.endUs) send(writers.get(stream)!, lastSign)
}

function tallyOf({ tallies }: Listener, stream: number): Tally {
  const known = tallies.get(stream)
  if (known) return known
  const tally = new Tally()
  tallies.set(stream, tally)
  return tally
}

function send(writer: Writer, dueUs: number): void {
  const n = writer.sent++
  waitingFor.set(writer.stream * KEY_BASE + n, listeners.length)
  writer.socket.send(write({ stream: writer.stream, n, dueUs }))
}

async function load({ inFlight, startUs, measureUs, endUs }: GroupLoad): Promise<GroupSent> {
  window = { measureUs, endUs }
  await until(startUs)
  for (const writer of writers.values()) {
    for (let index = 0; index < inFlight; index++) send(writer, nowUs())
  }
  await until(endUs)
  await quiet(() => [...writers.values()].every(({ sent, acked }) => sent === acked))
  const acked = new Map([...writers.values()].map((writer) => [writer.stream, writer.acked]))
  const unanswered = [...writers.values()].reduce((sum, writer) => sum + writer.sent - writer.acked, 0)
  return { acked, unanswered, ackedInTime, deliveredInTime }
}

async function settle(acked: Map<number, number>): Promise<GroupResult> {
  const lostBy = ({ tallies }: Listener) =>
    [...acked].reduce(
      (sum, [stream, count]) => sum + Math.max(0, count - (tallies.get(stream)?.received ?? 0)),
      0,
    )
  const lost = () => listeners.reduce((sum, listener) => sum + lostBy(listener), 0)
  await quiet(() => lost() === 0)
  const tallies = listeners.flatMap((listener) => [...listener.tallies.values()])
  return {
    lost: lost(),
    doubled: tallies.reduce((sum, { doubled }) => sum + doubled, 0),
    outOfOrder: listeners.reduce((sum, { contradictions }) => sum + contradictions, 0),
    faults,
    order: [...ranks.keys()],
  }
}

/** Waits until something is so, or until nothing has come for a while. */
async function quiet(isSo: () => boolean): Promise<void> {
  lastSign = nowUs()
  while (!isSo() && nowUs() - lastSign < SILENCE_MS * 1e3) await until(nowUs() + LOOK_AGAIN_MS * 1e3)
}

serve({ connect, load, settle })
