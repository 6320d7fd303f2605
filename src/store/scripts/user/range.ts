import type { InboxPosition } from '@starling/protocol/ids'
import type { InboxRange } from '../../../services/ports.ts'
import { defineScript, pairs, strings } from '../../script.ts'

export const rangeInbox = defineScript({
  name: 'user/range',
  keys: ['inbox', 'state'],
  args: ['after', 'count'],
  decode: (reply): InboxRange => {
    const [, head, first, ...rest] = strings(reply)
    return {
      head: head as InboxPosition,
      first: (first || undefined) as InboxPosition | undefined,
      entries: pairs(rest).map(([position, entry]) => ({ position: position as InboxPosition, entry })),
    }
  },
})
