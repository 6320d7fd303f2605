/**
 * What devices have against what is in the logs: all of it, once, in one order, and nothing that is not for them.
 */
import { comparePositions, msOf, ORIGIN, seqOf } from '@starling/protocol/ids'
import type { ClientInfo, RecordOf, Seen, Violation } from '../history.ts'
import {
  type Arrivals,
  type Facts,
  isAcked,
  isAfter,
  isGone,
  type Log,
  type Sent,
  type Span,
  secondId,
  sentKey,
  some,
  spansFor,
  textOf,
} from './facts.ts'

/**
 * A member who is removed may miss the last of what was before: what was on the way is not for them any more. What was
 * stored this long before their removal, while they were connected, was, ms.
 */
const ON_ITS_WAY_MS = 5_000

export function judgeDeliveries(facts: Facts): Violation[] {
  const violations: Violation[] = []
  const connected = connections(facts)
  const told = reloads(facts)
  for (const client of facts.clients.values()) {
    const convs = facts.arrivals.get(client.id)
    for (const [conv, arrivals] of convs ?? []) {
      violations.push(...judgeArrivals(facts, client, conv, arrivals))
    }
    for (const [conv, log] of facts.logs) {
      const spans = spansFor(facts, conv, client.user)
      if (spans.length === 0) continue
      const has = new Set(convs?.get(conv)?.map(({ message }) => message.id))
      const isDue = (entry: Seen, { until }: Span) =>
        until === undefined ||
        (msOf(entry.id) + ON_ITS_WAY_MS < msOf(until) && connected.throughout(client.id, entry, until))
      const missing = missingOf(facts, conv, log, spans, has, isDue)
      if (missing.length > 0) {
        violations.push({
          kind: 'lost',
          conv,
          client: client.id,
          user: client.user,
          ids: some(missing.map(({ id }) => id)),
          refs: some(missing.flatMap(({ ref }) => ref ?? [])),
          words: `${missing.length} in the log and not at this device`,
        })
      }
      violations.push(...judgeTrimmed(facts, client, conv, log, spans, has, told))
    }
  }
  return violations
}

function missingOf(
  { history }: Facts,
  conv: string,
  { entries }: Log,
  spans: readonly Span[],
  has: ReadonlySet<string>,
  isDue: (entry: Seen, span: Span) => boolean,
): Seen[] {
  const start = history.heads.get(conv) ?? ORIGIN
  return entries.filter((entry) => {
    const { id } = entry
    if (has.has(id) || !isAfter(id, start)) return false
    const span = spans.find(
      ({ from, until }) => !isAfter(from, id) && (until === undefined || isAfter(until, id)),
    )
    return span !== undefined && isDue(entry, span)
  })
}

/** What was acked and has fallen out of the log by now: who doesn't have it must have been told so. */
function judgeTrimmed(
  { sentIn, history }: Facts,
  client: ClientInfo,
  conv: string,
  { firstSeq, entries }: Log,
  spans: readonly Span[],
  has: ReadonlySet<string>,
  told: (client: string, conv: string) => number | undefined,
): Violation[] {
  if (firstSeq <= 1 || seqOf(history.heads.get(conv) ?? ORIGIN) >= firstSeq - 1) return []
  const first = entries[0]!.id
  const toldAt = told(client.id, conv)
  const silent: Sent[] = []
  for (const one of sentIn.get(conv) ?? []) {
    const id = one.acks[0]?.id
    if (id === undefined || has.has(id) || !isAfter(first, id) || (toldAt ?? 0) >= one.ackedAt!) continue
    if (spans.some(({ from, until }) => isAfter(id, from) && until === undefined)) silent.push(one)
  }
  if (silent.length === 0) return []
  return [
    {
      kind: 'lost',
      conv,
      client: client.id,
      user: client.user,
      ids: some(silent.map(({ acks }) => acks[0]!.id)),
      refs: some(silent.map(({ ref }) => ref)),
      words: `${silent.length} fell out of the log before this device had them, and it was not told`,
    },
  ]
}

function judgeArrivals(facts: Facts, client: ClientInfo, conv: string, arrivals: Arrivals): Violation[] {
  const violations: Violation[] = []
  const about = { conv, client: client.id, user: client.user }
  const spans = spansFor(facts, conv, client.user)
  const log = facts.logs.get(conv)
  const ids = new Map<string, RecordOf<'message'>>()
  const refs = new Map<string, RecordOf<'message'>>()
  for (const arrival of arrivals) {
    const { message, way } = arrival
    const { id, ref, from } = message
    const ref1 = ref === undefined ? [] : [ref]
    const add = (kind: Violation['kind'], words: string, other: string[] = []) =>
      violations.push({ ...about, kind, ids: [...other, id], refs: ref1, words })
    const known = ids.get(id)
    if (known && textOf(known.message) !== textOf(message)) add('altered', 'one id came with two contents')
    if (known && way === 'shown' && known.way === 'shown') add('doubled', 'shown twice')
    if (known) continue
    ids.set(id, arrival)
    if (ref !== undefined) {
      const key = sentKey(from, conv, ref)
      const other = refs.get(key)
      if (other !== undefined) {
        // The SDK knows a ref again; whoever takes frames as they come does not.
        const areShown = way === 'shown' && other.way === 'shown'
        const kind = areShown ? 'doubled' : secondId(log, other.message.id, facts.sent.get(key))
        add(kind, 'one ref is here under two ids', [other.message.id])
      }
      refs.set(key, arrival)
      const origin = facts.sent.get(key)
      if (!origin && isAfter(id, facts.history.heads.get(conv) ?? ORIGIN))
        add('invented', 'nobody has sent it')
      else if (origin && origin.text !== textOf(message)) add('altered', 'came with another content')
    }
    const isIn = spans.some(
      ({ from: start, until }) => !isAfter(start, id) && (until === undefined || !isAfter(id, until)),
    )
    if (!isIn && isAfter(id, facts.history.heads.get(conv) ?? ORIGIN)) add('leaked', `not for ${client.user}`)
    else if (isGone(log, id)) {
      const sent = ref === undefined ? undefined : facts.sent.get(sentKey(from, conv, ref))
      const isTaken = sent !== undefined && !isAcked(sent, id)
      if (isTaken) add('taken-back', 'at a device and in no log, and never acked')
      else add('phantom', 'at a device and in no log')
    }
  }
  violations.push(...judgeOrder(facts, client, conv, arrivals))
  return violations
}

/**
 * Ids are the one order of a conversation. A group's and a channel's come in it. A dm's come in the order of the inbox, in
 * which one may be late whose sender had to try again, as long as it was not acked before that which overtook it was
 * sent. One's own, which only an ack tells of, has no place there: the two kinds are not compared.
 */
function judgeOrder(facts: Facts, client: ClientInfo, conv: string, arrivals: Arrivals): Violation[] {
  const violations: Violation[] = []
  const isDm = conv.startsWith('dm:')
  const way = client.kind === 'sdk' ? 'shown' : 'live'
  // A dm on raw frames comes in the order of the inbox, which a message that is told again enters twice.
  if (isDm && client.kind === 'raw') return []
  const passed: Seen[] = []
  const seen = new Set<string>()
  let last: { line: number; message: Seen } | undefined
  for (const { way: came, line, message } of arrivals) {
    if (came !== way || seen.has(message.id)) continue
    seen.add(message.id)
    // On raw frames a new connection begins a new order.
    if (client.kind === 'raw' && last?.line !== line) last = undefined
    const overtaken = last && comparePositions(message.id, last.message.id) < 0
    if (overtaken) {
      const culprit = isDm ? passed.find((other) => overtook(facts, conv, other, message)) : last?.message
      if (culprit) {
        violations.push({
          kind: 'order',
          conv,
          client: client.id,
          user: client.user,
          ids: [culprit.id, message.id],
          refs: [culprit, message].flatMap(({ ref }) => ref ?? []),
          words: 'came in another order than that of the ids',
        })
      }
    } else last = { line, message }
    if (isDm) passed.push(message)
  }
  return violations
}

/** Whether `later` comes after `message` in the inbox, or was sent only when that had been acked. */
function overtook({ sent }: Facts, conv: string, later: Seen, message: Seen): boolean {
  if (!isAfter(later.id, message.id)) return false
  if ((later.inbox === undefined) !== (message.inbox === undefined)) return false
  if (later.inbox !== undefined && isAfter(later.inbox, message.inbox!)) return true
  const of = ({ from, ref }: Seen) => (ref === undefined ? undefined : sent.get(sentKey(from, conv, ref)))
  const ackedAt = of(message)?.ackedAt
  const sentAt = of(later)?.tries.length ? of(later)?.firstAt : undefined
  return ackedAt !== undefined && sentAt !== undefined && ackedAt < sentAt
}

/** Whether a client was connected all the time between two ids, by what it has recorded. */
function connections({ history, sent }: Facts) {
  const downs = new Map<string, number[]>()
  for (const record of history.records) {
    if (record.is !== 'down') continue
    const list = downs.get(record.client)
    if (list) list.push(record.at)
    else downs.set(record.client, [record.at])
  }
  return {
    throughout(client: string, { from, conv, ref, id }: Seen, until: string): boolean {
      const start = ref === undefined ? undefined : sent.get(sentKey(from, conv, ref))?.firstAt
      if (start === undefined) return false
      const end = start + msOf(until) - msOf(id)
      return !(downs.get(client) ?? []).some((at) => at >= start - ON_ITS_WAY_MS && at <= end + ON_ITS_WAY_MS)
    },
  }
}

/** When a client was told last that a conversation must be loaded. */
function reloads({ history }: Facts) {
  const last = new Map<string, number>()
  for (const record of history.records) {
    if (record.is !== 'reload') continue
    const convs = record.convs === 'all' ? ['*'] : record.convs
    for (const conv of convs) last.set(`${record.client}\n${conv}`, record.at)
  }
  return (client: string, conv: string) => {
    const [one, all] = [last.get(`${client}\n${conv}`), last.get(`${client}\n*`)]
    return one === undefined ? all : Math.max(one, all ?? 0)
  }
}
