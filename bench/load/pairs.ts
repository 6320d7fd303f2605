/**
 * Generator of one-to-one messages: pairs of a sender on one gateway and a receiver on the other. Closed loop: so
 * many under way, an ack lets the next one go. Open loop: a message is due at a fixed time whatever has become of
 * the earlier ones, and its latency counts from when it was due, so that a slow answer hides no waiting.
 */
import { nowUs, type Times, until } from './clock.ts'
import { kindOf, readStamp, type Stamp, sendFrames } from './frames.ts'
import type { Login } from './login.ts'
import { Samples } from './samples.ts'
import { serve } from './serve.ts'
import { forEachAtOnce, openSession } from './session.ts'
import type { LoadSocket } from './socket.ts'
import { Tally } from './tally.ts'

export interface PairLogin {
  sender: Login
  receiver: Login
}

export interface PairsLoad extends Times {
  /** `closed`: messages under way in all pairs together. `open`: messages a second. */
  mode: { is: 'closed'; inFlight: number } | { is: 'open'; ratePerSecond: number }
}

export interface PairsResult {
  sent: number
  acked: number
  /** Acks that came between measureUs and endUs. */
  ackedInTime: number
  lost: number
  doubled: number
  outOfOrder: number
  faults: string[]
  /** ms from when a message was due to its ack, to its arrival at the receiver, to its being sent. */
  ackMs: Float64Array
  deliveryMs: Float64Array
  lateMs: Float64Array
}

export type PairsCommands = {
  connect: { argument: PairLogin[]; result: undefined }
  load: { argument: PairsLoad; result: PairsResult }
}

interface Pair {
  stream: number
  socket: LoadSocket
  write: (stamp: Stamp) => string
  sent: number
  acked: number
  tally: Tally
}

/** With nothing new for this long after the end, what is still missing is lost. */
const SILENCE_MS = 3_000
const LOOK_AGAIN_MS = 50
const FAULTS_KEPT = 5

const pairs: Pair[] = []
const faults: string[] = []
const stamp: Stamp = { stream: 0, n: 0, dueUs: 0 }
const idle = { ack: () => {}, delivery: () => {} }
let on: { ack: (stamp: Stamp, now: number) => void; delivery: (stamp: Stamp, now: number) => void } = idle

function onFault(fault: string): void {
  if (faults.length < FAULTS_KEPT) faults.push(fault)
}

async function connect(logins: PairLogin[]): Promise<void> {
  await forEachAtOnce(logins, async ({ sender, receiver }, stream) => {
    const tally = new Tally()
    await openSession({
      login: receiver,
      onFault,
      onText: (data, start, end) => {
        if (kindOf(data, start) !== 'message' || !readStamp(data, start, end, stamp)) return
        tally.note(stamp.n)
        on.delivery(stamp, nowUs())
      },
    })
    const socket = await openSession({
      login: sender,
      onFault,
      onText: (data, start, end) => {
        if (kindOf(data, start) === 'ack' && readStamp(data, start, end, stamp)) on.ack(stamp, nowUs())
      },
    })
    pairs[stream] = { stream, socket, write: sendFrames(`user:${receiver.user}`), sent: 0, acked: 0, tally }
  })
}

function send(pair: Pair, dueUs: number): void {
  pair.socket.send(pair.write({ stream: pair.stream, n: pair.sent++, dueUs }))
}

async function load({ mode, startUs, measureUs, endUs }: PairsLoad): Promise<PairsResult> {
  const [ackMs, deliveryMs, lateMs] = [new Samples(), new Samples(), new Samples()]
  const isMeasured = (us: number) => us >= measureUs && us < endUs
  let ackedInTime = 0
  let lastSign = 0
  on = {
    ack({ stream, dueUs }, now) {
      const pair = pairs[stream]!
      pair.acked++
      lastSign = now
      if (isMeasured(now)) ackedInTime++
      if (isMeasured(dueUs)) ackMs.add((now - dueUs) / 1e3)
      if (mode.is === 'closed' && now < endUs) send(pair, now)
    },
    delivery({ dueUs }, now) {
      lastSign = now
      if (isMeasured(dueUs)) deliveryMs.add((now - dueUs) / 1e3)
    },
  }
  await until(startUs)
  if (mode.is === 'closed') {
    for (let index = 0; index < mode.inFlight; index++) send(pairs[index % pairs.length]!, nowUs())
    await until(endUs)
  } else {
    await sendOnSchedule(mode.ratePerSecond, startUs, endUs, (dueUs) => {
      if (isMeasured(dueUs)) lateMs.add((nowUs() - dueUs) / 1e3)
    })
  }
  lastSign = nowUs()
  while (!isComplete() && nowUs() - lastSign < SILENCE_MS * 1e3) await until(nowUs() + LOOK_AGAIN_MS * 1e3)
  on = idle
  const sum = (of: (pair: Pair) => number) => pairs.reduce((total, pair) => total + of(pair), 0)
  return {
    sent: sum(({ sent }) => sent),
    acked: sum(({ acked }) => acked),
    ackedInTime,
    // What was not acked may be stored or not; its missing is a fault of its own, not a loss.
    lost: sum(({ acked, tally }) => Math.max(0, acked - tally.received)),
    doubled: sum(({ tally }) => tally.doubled),
    outOfOrder: sum(({ tally }) => tally.outOfOrder),
    faults,
    ackMs: ackMs.toArray(),
    deliveryMs: deliveryMs.toArray(),
    lateMs: lateMs.toArray(),
  }
}

const isComplete = () => pairs.every(({ sent, acked, tally }) => acked === sent && tally.received === sent)

/** Sends what is due, pair by pair in turn, until the end. @param sent told for each when it was due */
async function sendOnSchedule(
  ratePerSecond: number,
  startUs: number,
  endUs: number,
  sent: (dueUs: number) => void,
): Promise<void> {
  const count = Math.floor(((endUs - startUs) / 1e6) * ratePerSecond)
  const dueAt = (index: number) => Math.floor(startUs + (index * 1e6) / ratePerSecond)
  for (let index = 0; index < count; ) {
    const now = nowUs()
    for (; index < count && dueAt(index) <= now; index++) {
      const dueUs = dueAt(index)
      sent(dueUs)
      send(pairs[index % pairs.length]!, dueUs)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

serve({ connect, load })
