/** Messages as a list shows them: with lines between days and before what is new, and runs of one author joined. */
import type { Message } from '@starling/protocol/frames'
import { comparePositions, msOf } from '@starling/protocol/ids'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { startOfDay } from '../../composables/useTimes.ts'
import { recalledBy } from '../../lib/log.ts'
import type { Outgoing } from '../../stores/messages.ts'

export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread'; key: string }
  | { kind: 'event'; key: string; message: Message }
  | { kind: 'message'; key: string; message: Message; first: boolean; last: boolean }
  | { kind: 'outgoing'; key: string; item: Outgoing; first: boolean; last: boolean }

/** After such a silence the same author starts a new run. */
const RUN_MS = 5 * 60_000

interface Rows {
  messages: MaybeRefOrGetter<readonly Message[]>
  outgoing: MaybeRefOrGetter<readonly Outgoing[]>
  me: string
  /** The line stands before the first message after this position that is somebody else's. */
  readUpTo: MaybeRefOrGetter<string | undefined>
}

export function useMessageRows({ messages, outgoing, me, readUpTo }: Rows) {
  return computed(() => {
    const rows: Row[] = []
    const read = toValue(readUpTo)
    let unreadShown = read === undefined
    let day = 0
    let author: string | undefined
    let before = 0

    function begin(from: string, at: number): boolean {
      const first = from !== author || at - before > RUN_MS
      if (!first) joinLast(rows)
      author = from
      before = at
      return first
    }

    function dayLine(at: number): void {
      if (startOfDay(at) === day) return
      day = startOfDay(at)
      rows.push({ kind: 'day', key: `day ${day}`, at })
      author = undefined
    }

    for (const message of toValue(messages)) {
      // What was taken back is seen at its own place.
      if (recalledBy(message) !== undefined) continue
      const at = msOf(message.id)
      dayLine(at)
      if (
        !unreadShown &&
        read !== undefined &&
        message.from !== me &&
        comparePositions(message.id, read) > 0
      ) {
        rows.push({ kind: 'unread', key: 'unread' })
        unreadShown = true
        author = undefined
      }
      if (message.body.type === 'event' && message.body.event !== 'message_recalled') {
        rows.push({ kind: 'event', key: message.id, message })
        author = undefined
      } else {
        rows.push({
          kind: 'message',
          key: message.ref ?? message.id,
          message,
          first: begin(message.from, at),
          last: true,
        })
      }
    }
    for (const item of toValue(outgoing)) {
      dayLine(item.at)
      rows.push({ kind: 'outgoing', key: item.ref, item, first: begin(me, item.at), last: true })
    }
    return rows
  })
}

/** The row that was the last of its run is so no more. */
function joinLast(rows: Row[]): void {
  const row = rows.at(-1)
  if (row?.kind === 'message' || row?.kind === 'outgoing') row.last = false
}
