/**
 * A history taken apart once, for all judges: what became of each send, what each device has of each conversation, who
 * may read what.
 */
import { comparePositions, ORIGIN, parseConv, seqOf } from '@starling/protocol/ids'
import type { ClientInfo, History, RecordOf, Seen } from '../history.ts'

/** One ref of one sender in one conversation. */
export interface Sent {
  client: string
  user: string
  conv: string
  ref: string
  text: string
  firstAt: number
  ackedAt: number | undefined
  acks: RecordOf<'ack'>[]
  tries: Try[]
}

export interface Try {
  client: string
  line: number
  /** `acked`, `dup`, the code of an error, or `none`: the line broke before. */
  outcome: string
}

/** `acked`; `refused`: every try was answered with a refusal that leaves nothing open; else `open`. */
export type Fate = 'acked' | 'refused' | 'open'

/** Only these leave open whether the message was stored. */
const OPEN_CODES = new Set(['none', 'unavailable', 'internal'])

export interface Log {
  entries: readonly Seen[]
  byId: ReadonlyMap<string, Seen>
  /** The first id that is still there; what was before fell out of the log. */
  firstSeq: number
}

/** What a device has of one conversation, in the order it came. */
export type Arrivals = RecordOf<'message'>[]

export interface Facts {
  history: History
  clients: ReadonlyMap<string, ClientInfo>
  sent: ReadonlyMap<string, Sent>
  sentIn: ReadonlyMap<string, readonly Sent[]>
  logs: ReadonlyMap<string, Log>
  /** client → conv → arrivals */
  arrivals: ReadonlyMap<string, ReadonlyMap<string, Arrivals>>
  /** Who has which part of a group's log: member → from (a joining) to (a removal), in order. */
  spans: ReadonlyMap<string, ReadonlyMap<string, readonly Span[]>>
}

/** A time as a member, by the ids of the events. */
export interface Span {
  from: string
  until: string | undefined
}

/** A ref's scope is its sender and its conversation. */
export const sentKey = (user: string, conv: string, ref: string): string => `${user}\n${conv}\n${ref}`

export function fateOf({ acks, tries }: Sent): Fate {
  if (acks.length > 0) return 'acked'
  return tries.every(({ outcome }) => !OPEN_CODES.has(outcome)) ? 'refused' : 'open'
}

/** @returns the text of a message, an event's as JSON */
export const textOf = ({ body }: Seen): string => (body.type === 'text' ? body.text : JSON.stringify(body))

export const isAfter = (id: string, other: string): boolean => comparePositions(id, other) > 0

export function gather(history: History): Facts {
  const clients = new Map(history.clients.map((client) => [client.id, client]))
  const logs = new Map(
    [...history.logs].map(([conv, entries]): [string, Log] => [
      conv,
      {
        entries,
        byId: new Map(entries.map((entry) => [entry.id, entry])),
        firstSeq: entries[0] ? seqOf(entries[0].id) : 0,
      },
    ]),
  )
  const sent = sendsOf(history, clients)
  return {
    history,
    clients,
    sent,
    sentIn: Map.groupBy(sent.values(), ({ conv }) => conv),
    logs,
    arrivals: arrivalsOf(history),
    spans: spansOf(history),
  }
}

function sendsOf({ records }: History, clients: ReadonlyMap<string, ClientInfo>): Map<string, Sent> {
  const sent = new Map<string, Sent>()
  /** The try that an answer on this line is to. */
  const waiting = new Map<string, Try>()
  const userOf = (client: string) => clients.get(client)?.user ?? client
  const of = ({ client, conv, ref, text, at }: RecordOf<'submit' | 'send'>) => {
    const user = userOf(client)
    const key = sentKey(user, conv, ref)
    let entry = sent.get(key)
    if (!entry) {
      entry = { client, user, conv, ref, text, firstAt: at, ackedAt: undefined, acks: [], tries: [] }
      sent.set(key, entry)
    }
    return entry
  }
  for (const record of records) {
    if (record.is === 'submit') of(record)
    else if (record.is === 'send') {
      const attempt: Try = { client: record.client, line: record.line, outcome: 'none' }
      of(record).tries.push(attempt)
      waiting.set(`${record.client}\n${record.line}\n${record.ref}`, attempt)
    } else if (record.is === 'error') {
      const attempt = waiting.get(`${record.client}\n${record.line}\n${record.ref}`)
      if (attempt) attempt.outcome = record.code
    } else if (record.is === 'ack') {
      const attempt = waiting.get(`${record.client}\n${record.line}\n${record.ref}`)
      if (attempt) attempt.outcome = record.dup ? 'dup' : 'acked'
      const entry = sent.get(sentKey(userOf(record.client), record.conv, record.ref))
      entry?.acks.push(record)
      if (entry) entry.ackedAt ??= record.at
    }
  }
  return sent
}

function arrivalsOf({ records, clients }: History): Map<string, Map<string, Arrivals>> {
  const arrivals = new Map(clients.map(({ id }) => [id, new Map<string, Arrivals>()]))
  for (const record of records) {
    if (record.is === 'moved') move(arrivals.get(record.client)?.get(record.conv), record)
    if (record.is !== 'message') continue
    const convs = arrivals.get(record.client)
    const list = convs?.get(record.message.conv)
    if (list) list.push(record)
    else convs?.set(record.message.conv, [record])
  }
  return arrivals
}

/** Has a message that was shown before stand where its new id came. */
function move(arrivals: Arrivals | undefined, { was, id, at }: RecordOf<'moved'>): void {
  const index = arrivals?.findIndex(({ message }) => message.id === was) ?? -1
  if (!arrivals || index < 0) return
  const [moved] = arrivals.splice(index, 1)
  arrivals.push({ ...moved!, at, message: { ...moved!.message, id } })
}

/** Memberships as the log itself tells them, from the members at the start on. */
function spansOf({ members, logs, heads }: History): Map<string, Map<string, Span[]>> {
  const all = new Map<string, Map<string, Span[]>>()
  for (const [conv, users] of members) {
    const start = heads.get(conv) ?? ORIGIN
    const spans = new Map(users.map((user): [string, Span[]] => [user, [{ from: start, until: undefined }]]))
    all.set(conv, spans)
    for (const { id, body } of logs.get(conv) ?? []) {
      if (body.type !== 'event' || !isAfter(id, start)) continue
      const event = body as { event?: unknown; users?: unknown }
      const who = Array.isArray(event.users) ? (event.users as string[]) : []
      for (const user of who) {
        const list = spans.get(user) ?? []
        const last = list.at(-1)
        const isIn = last !== undefined && last.until === undefined
        if (event.event === 'member_joined' && !isIn) list.push({ from: id, until: undefined })
        if ((event.event === 'member_removed' || event.event === 'member_left') && isIn) last.until = id
        spans.set(user, list)
      }
    }
  }
  return all
}

/** @returns the parts of a conversation that a user may read, by ids */
export function spansFor({ spans }: Facts, conv: string, user: string): readonly Span[] {
  const whole = [{ from: ORIGIN, until: undefined }]
  const parsed = parseConv(conv)
  switch (parsed?.kind) {
    case 'dm':
      return (parsed.users as readonly string[]).includes(user) ? whole : []
    case 'group':
      return spans.get(conv)?.get(user) ?? []
    case 'channel':
      return whole
    case undefined:
      return []
  }
}

/** Whether an id is in no log, though it is not too old for it. */
export const isGone = (log: Log | undefined, id: string): boolean =>
  !log?.byId.has(id) && !(log && log.firstSeq > seqOf(id))

/** @returns what a second id of a ref is: its first one may be in no log any more, and may never have been acked */
export function secondId(
  log: Log | undefined,
  first: string,
  sent: Sent | undefined,
): 'doubled' | 'rolled-back' | 'taken-back' {
  if (!isGone(log, first)) return 'doubled'
  return isAcked(sent, first) ? 'rolled-back' : 'taken-back'
}

/** Whether a message was acked under this id. */
export const isAcked = (sent: Sent | undefined, id: string): boolean =>
  sent?.acks.some((ack) => ack.id === id) ?? false

/** A violation's examples, not all of what may be thousands. */
export const some = <T>(list: readonly T[]): readonly T[] => list.slice(0, 5)
