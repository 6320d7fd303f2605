import type { ConvId, GroupId, InboxPosition, MessageId } from '@starling/protocol/ids'
import type { CaughtUp, InboxEntry } from '../../../services/ports.ts'
import { defineBatch, pairs, strings } from '../../script.ts'

const words = (list: string) => (list === '' ? [] : list.split(' '))

function inThrees(flat: string[]): InboxEntry[] {
  const list: InboxEntry[] = []
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const [position, id, tail] = [flat[at] as InboxPosition, flat[at + 1] as MessageId, flat[at + 2]!]
    list.push({ position, id, tail })
  }
  return list
}

export const catchUp = defineBatch({
  name: 'user/catch-up',
  args: [],
  job: ['own', 'after', 'count'],
  decode: (reply): CaughtUp => {
    const [head, dms = '', groups = '', reads = '', ...entries] = strings(reply)
    return {
      range: {
        head: head as InboxPosition,
        entries: inThrees(entries),
      },
      books: {
        dms: words(dms) as ConvId[],
        groups: words(groups) as GroupId[],
        reads: new Map(pairs(words(reads)) as [ConvId, MessageId][]),
      },
    }
  },
})
