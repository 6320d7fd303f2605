import type { MessageId } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export type DmAppended =
  | { is: 'ok' | 'dup'; id: MessageId; tail: string }
  | { is: 'blocked' | 'stranger_limit' }

export const appendDm = defineScript({
  name: 'conv/append-dm',
  keys: ['log', 'state', 'ref'],
  args: ['from', 'other', 'guard', 'retry', 'needle', 'tail', 'limit', 'window', 'maxlen', 'ttl', 'ref_ttl'],
  decode: (reply): DmAppended => {
    const [is, id, tail = ''] = strings(reply)
    return is === 'ok' || is === 'dup'
      ? { is, id: id as MessageId, tail }
      : { is: is as 'blocked' | 'stranger_limit' }
  },
})
