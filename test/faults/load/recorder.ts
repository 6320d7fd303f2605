/** Writes a history down while it happens. One for all clients of a run, so that its order is that of time. */
import { createHash } from 'node:crypto'
import { type HistoryRecord, nowMs, type Seen } from '../history.ts'

type Untimed<R> = R extends unknown ? Omit<R, 'at'> : never

/** Longer texts are kept as their beginning and a digest: what was sent and what came are compared, not read. */
const BRIEF = 80

export class Recorder {
  readonly records: HistoryRecord[] = []
  /** How many refs were acked. */
  acked = 0

  add(record: Untimed<HistoryRecord>): void {
    if (record.is === 'ack' && !record.dup) this.acked++
    this.records.push({ at: nowMs(), ...record } as HistoryRecord)
  }
}

/** @returns a text as histories keep it */
export function brief(text: string): string {
  if (text.length <= BRIEF) return text
  return `${text.slice(0, BRIEF)} ${text.length} ${createHash('sha1').update(text).digest('hex')}`
}

/** @returns a message as histories keep it */
export function seen({ conv, id, from, ref, body, inbox }: Seen): Seen {
  const kept = body.type === 'text' ? { type: 'text' as const, text: brief(body.text) } : body
  return {
    conv,
    id,
    from,
    body: kept,
    ...(ref !== undefined && { ref }),
    ...(inbox !== undefined && { inbox }),
  }
}
