/**
 * Generator of one-to-one messages: pairs of a sender on one gateway and a receiver on the other. Closed loop: so
 * many under way, an ack lets the next one go. Open loop: a message is due at a fixed time whatever has become of
 * the earlier ones, and its latency counts from when it was due, so that a slow answer hides no waiting.
 */
import { nowUs, type Times, until } from './clock.ts'
import { DIALECTS, type DialectName } from './dialects.ts'
import type { Login } from './login.ts'
import { pace } from './pacer.ts'
import { Samples } from './samples.ts'
import { serve } from './serve.ts'
import { forEachAtOnce, openSession } from './session.ts'
import type { LoadSocket, OnText } from './socket.ts'
import { readStamp, type Stamp } from './stamp.ts'
import { Tally } from './tally.ts'

export interface PairLogin {
  sender: Login
  /** Where not given, an ack is the echo of its message, and the delivery too. */
  receiver?: Login
}

export interface PairsConnect {
  dialect: DialectName
  pairs: PairLogin[]
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
  connect: { argument: PairsConnect; result: undefined }
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

async function connect({ dialect: name, pairs: logins }: PairsConnect): Promise<void> {
  const dialect = DIALECTS[name]
  await forEachAtOnce(logins, async ({ sender, receiver }, stream) => {
    const tally = new Tally()
    const onMessage: OnText = (data, start, end) => {
      for (let at = readStamp(data, start, end, stamp); at >= 0; at = readStamp(data, at, end, stamp)) {
        tally.note(stamp.n)
        on.delivery(stamp, nowUs())
      }
    }
    if (receiver) await openSession({ dialect, login: receiver, onFault, onMessage })
    const socket = await openSession({
      dialect,
      login: sender,
      onFault,
      onAck(data, start, end, socket) {
        if (readStamp(data, start, end, stamp) < 0) return
        on.ack(stamp, nowUs())
        if (!receiver) onMessage(data, start, end, socket)
      },
    })
    const write = dialect.sends(`user:${receiver?.user ?? sender.user}`)
    pairs[stream] = { stream, socket, write, sent: 0, acked: 0, tally }
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
    await pace({ ratePerSecond: mode.ratePerSecond, startUs, endUs }, (index, dueUs) => {
      if (isMeasured(dueUs)) lateMs.add((nowUs() - dueUs) / 1e3)
      send(pairs[index % pairs.length]!, dueUs)
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

serve({ connect, load })
