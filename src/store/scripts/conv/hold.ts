import type { MessageId } from '@starling/protocol/ids'
import { defineBatch, strings } from '../../script.ts'

export interface Held {
  head: MessageId
  /** The id the user joined at; undefined: no member. */
  joined: MessageId | undefined
}

export const holdConv = defineBatch({
  name: 'conv/hold',
  args: [],
  job: ['own', 'held', 'conv', 'node', 'change', 'user'],
  decode: (reply): Held => {
    const [is, head, joined] = strings(reply)
    return { head: head as MessageId, joined: is === 'ok' ? (joined as MessageId) : undefined }
  },
})
