/**
 * Generator of one-to-one messages: senders on one server and receivers on another, each sender with one conversation
 * or several, which it takes in turn. Closed loop: so many under way, an ack lets the sender's next one go. Open loop:
 * a message is due at a fixed time whatever has become of the earlier ones, and its latency counts from when it was
 * due, so that a slow answer hides no waiting.
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

export interface PairsConnect {
  dialect: DialectName
  senders: Login[]
  /** Where there are none, an ack is the echo of its message, and the delivery too. */
  receivers: Login[]
  /**
   * How many pairs of them write: the first sender to the first receiver, and so on, then each to the one after the
   * next, since neighbours are on different servers, and a message is to go to another one than it came from.
   */
  conversations: number
}

export interface PairsLoad extends Times {
  /** `closed`: messages under way in all together. `open`: messages a second. */
  mode: { is: 'closed'; inFlight: number } | { is: 'open'; ratePerSecond: number }
}

export interface PairsResult {
  sent: number
  acked: number
  /** Acks that came between measureUs and endUs. */
  ackedInTime: number
  /** Sends that the server was too busy for. */
  refused: number
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

interface Sender {
  socket: LoadSocket
  conversations: Conversation[]
  /** Whose turn it is. */
  next: number
}

interface Conversation {
  stream: number
  sender: Sender
  receiver: number
  write: (stamp: Stamp) => string
  sent: number
  acked: number
  refused: number
  tally: Tally
}

/** With nothing new for this long after the end, what is still missing is lost. */
const SILENCE_MS = 3_000
const LOOK_AGAIN_MS = 50
const FAULTS_KEPT = 5

const senders: Sender[] = []
const conversations: Conversation[] = []
const faults: string[] = []
const stamp: Stamp = { stream: 0, n: 0, dueUs: 0 }
const idle = { ack: () => {}, refusal: () => {}, delivery: () => {} }
let on: {
  ack: (stamp: Stamp, now: number) => void
  refusal: (stamp: Stamp) => void
  delivery: (stamp: Stamp, now: number) => void
} = idle

function onFault(fault: string): void {
  if (faults.length < FAULTS_KEPT) faults.push(fault)
}

async function connect({ dialect: name, receivers, ...to }: PairsConnect): Promise<void> {
  const dialect = DIALECTS[name]
  await forEachAtOnce(receivers, async (login, receiver) => {
    const onMessage: OnText = (data, start, end) => {
      for (let at = readStamp(data, start, end, stamp); at >= 0; at = readStamp(data, at, end, stamp)) {
        hear(receiver)
      }
    }
    await openSession({ dialect, login, onFault, onMessage })
  })
  await forEachAtOnce(to.senders, async (login, index) => {
    const onAck: OnText = (data, start, end) => {
      if (readStamp(data, start, end, stamp) < 0) return
      if (receivers.length === 0) hear(index)
      on.ack(stamp, nowUs())
    }
    const onRefusal: OnText = (data, start, end) => {
      if (readStamp(data, start, end, stamp) >= 0) on.refusal(stamp)
    }
    const socket = await openSession({ dialect, login, onFault, onAck, onRefusal })
    senders[index] = { socket, conversations: [], next: 0 }
  })
  const targets = (receivers.length > 0 ? receivers : to.senders).map(({ user }) =>
    dialect.sends(`user:${user}`),
  )
  for (let stream = 0; stream < to.conversations; stream++) {
    const sender = senders[stream % senders.length]!
    const receiver = ((stream % senders.length) + 2 * Math.floor(stream / senders.length)) % targets.length
    const write = targets[receiver]!
    const conversation = {
      stream,
      sender,
      receiver,
      write,
      sent: 0,
      acked: 0,
      refused: 0,
      tally: new Tally(),
    }
    conversations.push(conversation)
    sender.conversations.push(conversation)
  }
}

function hear(receiver: number): void {
  const conversation = conversations[stamp.stream]!
  if (conversation.receiver !== receiver)
    onFault(`a message for ${conversation.receiver} came to ${receiver}`)
  conversation.tally.note(stamp.n)
  on.delivery(stamp, nowUs())
}

/** Sends what is next of this sender. */
function send(sender: Sender, dueUs: number): void {
  const conversation = sender.conversations[sender.next]!
  sender.next = (sender.next + 1) % sender.conversations.length
  sender.socket.send(conversation.write({ stream: conversation.stream, n: conversation.sent++, dueUs }))
}

async function load({ mode, startUs, measureUs, endUs }: PairsLoad): Promise<PairsResult> {
  const [ackMs, deliveryMs, lateMs] = [new Samples(), new Samples(), new Samples()]
  const isMeasured = (us: number) => us >= measureUs && us < endUs
  let ackedInTime = 0
  let lastSign = 0
  on = {
    ack({ stream, dueUs }, now) {
      const conversation = conversations[stream]!
      conversation.acked++
      lastSign = now
      if (isMeasured(now)) ackedInTime++
      if (isMeasured(dueUs)) ackMs.add((now - dueUs) / 1e3)
      if (mode.is === 'closed' && now < endUs) send(conversation.sender, now)
    },
    refusal({ stream }) {
      conversations[stream]!.refused++
      lastSign = nowUs()
    },
    delivery({ dueUs }, now) {
      lastSign = now
      if (isMeasured(dueUs)) deliveryMs.add((now - dueUs) / 1e3)
    },
  }
  const active = senders.filter((sender) => sender.conversations.length > 0)
  await until(startUs)
  if (mode.is === 'closed') {
    for (let index = 0; index < mode.inFlight; index++) send(active[index % active.length]!, nowUs())
    await until(endUs)
  } else {
    await pace({ ratePerSecond: mode.ratePerSecond, startUs, endUs }, (index, dueUs) => {
      if (isMeasured(dueUs)) lateMs.add((nowUs() - dueUs) / 1e3)
      send(active[index % active.length]!, dueUs)
    })
  }
  lastSign = nowUs()
  while (!isComplete() && nowUs() - lastSign < SILENCE_MS * 1e3) await until(nowUs() + LOOK_AGAIN_MS * 1e3)
  on = idle
  const sum = (of: (one: Conversation) => number) => conversations.reduce((total, one) => total + of(one), 0)
  return {
    sent: sum(({ sent }) => sent),
    acked: sum(({ acked }) => acked),
    ackedInTime,
    refused: sum(({ refused }) => refused),
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

const isComplete = () =>
  conversations.every(
    ({ sent, acked, refused, tally }) => acked + refused === sent && tally.received === acked,
  )

serve({ connect, load })
