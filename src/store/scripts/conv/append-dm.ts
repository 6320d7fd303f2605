import type { InboxPosition, MessageId } from '@starling/protocol/ids'
import { defineBatch } from '../../script.ts'

export type DmAppended =
  | {
      is: 'ok' | 'dup'
      id: MessageId
      /** The sender's list of conversations should be told. */
      note: boolean
      /** Where it lies in the sender's inbox, if it was put there now. */
      inbox: InboxPosition | undefined
      /** Of a dup, what was stored; empty where that is gone. */
      tail: string
    }
  | { is: 'blocked' | 'stranger_limit' }

export const appendDm = defineBatch({
  name: 'conv/append-dm',
  args: ['to', 'limit', 'window', 'quiet', 'ref_ttl', 'maxlen', 'ttl', 'inbox'],
  job: ['own', 'from', 'other', 'guard', 'ref', 'needle', 'tail', 'peer', 'self', 'list'],
  decode: (reply): DmAppended => {
    const text = reply as string
    const [is, id, note, position] = text.split(' ', 4)
    if (is !== 'ok' && is !== 'dup') return { is: is as 'blocked' | 'stranger_limit' }
    return {
      is,
      id: id as MessageId,
      note: note === '1',
      inbox: position === '-' ? undefined : (position as InboxPosition),
      tail: is === 'dup' ? text.slice(text.indexOf(' - ') + 3) : '',
    }
  },
})
