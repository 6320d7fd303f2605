import type { ConvId, GroupId, InboxPosition, MessageId } from '@starling/protocol/ids'
import type { CaughtUp } from '../../../services/ports.ts'
import { defineBatch, pairs, strings } from '../../script.ts'

const words = (list: string) => (list === '' ? [] : list.split(' '))

export const catchUp = defineBatch({
  name: 'user/catch-up',
  args: [],
  job: ['own', 'after', 'count'],
  decode: (reply): CaughtUp => {
    const [head, oldest, dms = '', groups = '', reads = '', ...entries] = strings(reply)
    return {
      range: {
        head: head as InboxPosition,
        first: (oldest || undefined) as InboxPosition | undefined,
        entries: pairs(entries).map(([position, entry]) => ({ position: position as InboxPosition, entry })),
      },
      books: {
        dms: words(dms) as ConvId[],
        groups: words(groups) as GroupId[],
        reads: new Map(pairs(words(reads)) as [ConvId, MessageId][]),
      },
    }
  },
})
