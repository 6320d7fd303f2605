/**
 * Generator of group messages: members of many groups on several servers, some of whom write. A message counts as
 * under way until all members in this process have it, so that the fan-out, not only the log, sets the pace. All
 * members of a group who only listen must see one order: a message's rank is its place with the first who got it, and ranks must grow
 * with all.
 */
import { nowUs, type Times, until } from './clock.ts'
import { DIALECTS, type DialectName } from './dialects.ts'
import type { Login } from './login.ts'
import { Numbers } from './numbers.ts'
import { serve } from './serve.ts'
import { forEachAtOnce, openSession } from './session.ts'
import type { LoadSocket } from './socket.ts'
import { readStamp, type Stamp } from './stamp.ts'
import { Tally } from './tally.ts'

export interface GroupMember {
  login: Login
  group: number
  target: string
  /** A number of its own where this member writes. */
  stream?: number
}

export interface GroupLoad extends Times {
  /** Messages under way per writer. */
  inFlight: number
}

export interface GroupSent {
  /** stream → group and messages acked; each other member of it has to get them all */
  acked: Map<number, { group: number; count: number }>
  unanswered: number
  /** Messages acked, and deliveries, between measureUs and endUs. */
  ackedInTime: number
  deliveredInTime: number
}

export interface GroupResult {
  lost: number
  doubled: number
  outOfOrder: number
  faults: string[]
  /** group → its messages in this generator's order, as stream × KEY_BASE + number */
  orders: Map<number, number[]>
}

export type GroupCommands = {
  connect: { argument: { dialect: DialectName; members: GroupMember[] }; result: undefined }
  load: { argument: GroupLoad; result: GroupSent }
  /** Waits for what is missing. The argument is what all generators have had acked. */
  settle: { argument: GroupSent['acked']; result: GroupResult }
}

interface Writer {
  stream: number
  group: Group
  socket: LoadSocket
  write: (stamp: Stamp) => string
  sent: number
  acked: number
  /** own message → members here who don't have it yet */
  waitingFor: Numbers
}

interface Group {
  members: Member[]
  order: number[]
  /** stream → message → its place in the order, from 1 on */
  ranks: Map<number, Numbers>
}

interface Member {
  group: Group
  /** The stream it writes; whether a sender's own connection hears itself is each system's own choice. */
  own: number | undefined
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
const groups = new Map<number, Group>()
const faults: string[] = []
const stamp: Stamp = { stream: 0, n: 0, dueUs: 0 }
let window = { measureUs: 0, endUs: 0 }
let ackedInTime = 0
let deliveredInTime = 0
let lastSign = 0

const onFault = (fault: string): void => {
  if (faults.length < FAULTS_KEPT) faults.push(fault)
}
const isMeasured = (now: number) => now >= window.measureUs && now < window.endUs

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

async function connect({ dialect: name, members }: GroupCommands['connect']['argument']): Promise<void> {
  const dialect = DIALECTS[name]
  await forEachAtOnce(members, async ({ login, target, stream, group: number }) => {
    const group = entry(groups, number, (): Group => ({ members: [], order: [], ranks: new Map() }))
    const member: Member = { group, own: stream, tallies: new Map(), rank: 0, contradictions: 0 }
    group.members.push(member)
    const socket = await openSession({
      dialect,
      login,
      onFault,
      onAck() {
        const writer = writers.get(stream!)!
        writer.acked++
        lastSign = nowUs()
        if (isMeasured(lastSign)) ackedInTime++
      },
      onMessage(data, start, end) {
        for (let at = readStamp(data, start, end, stamp); at >= 0; at = readStamp(data, at, end, stamp))
          hear(member)
      },
    })
    if (stream === undefined) return
    const write = dialect.sends(target)
    writers.set(stream, { stream, group, socket, write, sent: 0, acked: 0, waitingFor: new Numbers() })
  })
}

function hear(member: Member): void {
  const { stream, n } = stamp
  lastSign = nowUs()
  if (isMeasured(lastSign)) deliveredInTime++
  if (stream === member.own) return
  entry(member.tallies, stream, newTally).note(n)
  if (member.own === undefined) judgeOrder(member, stream, n)

  const writer = writers.get(stream)
  if (writer === undefined) return
  const missing = writer.waitingFor.get(n)
  writer.waitingFor.set(n, missing - 1)
  if (missing === 1 && lastSign < window.endUs) send(writer, lastSign)
}

/** Not of writers: they may not hear their own messages, so they don't see all of the order. */
function judgeOrder(member: Member, stream: number, n: number): void {
  const rank = rankOf(member.group, stream, n)
  if (rank < member.rank) member.contradictions++
  else member.rank = rank
}

const newTally = () => new Tally()
const newNumbers = () => new Numbers()

function rankOf({ ranks, order }: Group, stream: number, n: number): number {
  const ofStream = entry(ranks, stream, newNumbers)
  const known = ofStream.get(n)
  if (known > 0) return known
  order.push(stream * KEY_BASE + n)
  ofStream.set(n, order.length)
  return order.length
}

function send(writer: Writer, dueUs: number): void {
  const n = writer.sent++
  writer.waitingFor.set(n, writer.group.members.length - 1)
  writer.socket.send(writer.write({ stream: writer.stream, n, dueUs }))
}

async function load({ inFlight, startUs, measureUs, endUs }: GroupLoad): Promise<GroupSent> {
  window = { measureUs, endUs }
  await until(startUs)
  for (const writer of writers.values()) {
    for (let index = 0; index < inFlight; index++) send(writer, nowUs())
  }
  await until(endUs)
  await quiet(() => [...writers.values()].every(({ sent, acked }) => sent === acked))
  const numbers = new Map([...groups].map(([number, group]) => [group, number]))
  return {
    acked: new Map(
      [...writers].map(([stream, { group, acked }]) => [
        stream,
        { group: numbers.get(group)!, count: acked },
      ]),
    ),
    unanswered: [...writers.values()].reduce((sum, { sent, acked }) => sum + sent - acked, 0),
    ackedInTime,
    deliveredInTime,
  }
}

async function settle(acked: GroupSent['acked']): Promise<GroupResult> {
  const all = [...groups.values()].flatMap(({ members }) => members)
  const lostBy = (member: Member) =>
    [...acked].reduce((sum, [stream, { group, count }]) => {
      if (stream === member.own || groups.get(group) !== member.group) return sum
      return sum + Math.max(0, count - (member.tallies.get(stream)?.received ?? 0))
    }, 0)
  const lost = () => all.reduce((sum, member) => sum + lostBy(member), 0)
  await quiet(() => lost() === 0)
  const tallies = all.flatMap((member) => [...member.tallies.values()])
  return {
    lost: lost(),
    doubled: tallies.reduce((sum, { doubled }) => sum + doubled, 0),
    outOfOrder: all.reduce((sum, { contradictions }) => sum + contradictions, 0),
    faults,
    orders: new Map([...groups].map(([number, { order }]) => [number, order])),
  }
}

/** Waits until something is so, or until nothing has come for a while. */
async function quiet(isSo: () => boolean): Promise<void> {
  lastSign = nowUs()
  while (!isSo() && nowUs() - lastSign < SILENCE_MS * 1e3) await until(nowUs() + LOOK_AGAIN_MS * 1e3)
}

serve({ connect, load, settle })
