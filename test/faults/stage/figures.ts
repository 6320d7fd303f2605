/** What a history comes to in numbers: for people who want to know how much was judged. */
import { comparePositions } from '@starling/protocol/ids'
import type { History, HistoryRecord } from '../history.ts'

export interface Figure {
  name: string
  value: number | string
  unit: string
}

export function figuresOf({ records, clients, logs }: History): Figure[] {
  const count = (is: (record: HistoryRecord) => boolean) => records.filter(is).length
  const acks = records.filter((record) => record.is === 'ack')
  const errors = Map.groupBy(
    records.filter((record) => record.is === 'error'),
    ({ code }) => code,
  )
  const refusals = [...errors].map(([code, list]) => `${code} ${list.length}`).join(', ')
  const stored = [...logs.values()].reduce((sum, log) => sum + log.length, 0)
  const { p50, p99 } = ackTimes(records)
  return [
    { name: 'users', value: new Set(clients.map(({ user }) => user)).size, unit: '' },
    { name: 'clients', value: clients.length, unit: '' },
    { name: 'messages acked', value: acks.filter(({ dup }) => !dup).length, unit: '' },
    { name: 'acked as sent before', value: acks.filter(({ dup }) => dup).length, unit: '' },
    { name: 'entries in the logs', value: stored, unit: '' },
    { name: 'deliveries judged', value: count(({ is }) => is === 'message'), unit: '' },
    { name: 'dms that came behind a later one', value: lateDms(records), unit: '' },
    { name: 'answers `error`', value: refusals || 'none', unit: '' },
    { name: 'sessions lost', value: count(({ is }) => is === 'down'), unit: '' },
    { name: 'first try to ack, p50', value: p50, unit: 'ms' },
    { name: 'first try to ack, p99', value: p99, unit: 'ms' },
  ]
}

/** ms from the first try of a ref to its first ack, whatever lay between; of those tried in the given time. */
export function ackTimes(
  records: readonly HistoryRecord[],
  isMeant: (at: number) => boolean = () => true,
): { p50: number; p99: number; count: number } {
  const since = new Map<string, number>()
  const times: number[] = []
  for (const record of records) {
    if (record.is === 'send' && !since.has(record.ref) && isMeant(record.at)) since.set(record.ref, record.at)
    const start = record.is === 'ack' ? since.get(record.ref) : undefined
    if (start === undefined || record.is !== 'ack') continue
    times.push(record.at - start)
    since.delete(record.ref)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => Math.round(times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0)
  return { p50: at(0.5), p99: at(0.99), count: times.length }
}

/** @returns how many messages devices did not have before */
export function broughtSince({ records }: History, since: number): number {
  const known = new Set<string>()
  let brought = 0
  for (const record of records) {
    if (record.is !== 'message') continue
    const { conv, id } = record.message
    const key = `${record.client} ${conv} ${id}`
    if (!known.has(key) && record.at >= since) brought++
    known.add(key)
  }
  return brought
}

/** The application puts them in their place by id; that it has to is worth knowing. */
function lateDms(records: readonly HistoryRecord[]): number {
  const newest = new Map<string, string>()
  let late = 0
  for (const record of records) {
    if (record.is !== 'message' || record.way !== 'shown' || !record.message.conv.startsWith('dm:')) continue
    const { conv, id } = record.message
    const key = `${record.client} ${conv}`
    const before = newest.get(key)
    if (before !== undefined && comparePositions(id, before) < 0) late++
    else newest.set(key, id)
  }
  return late
}
