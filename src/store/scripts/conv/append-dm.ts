import type { MessageId } from '@starling/protocol/ids'
import type { DmAppended } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const appendDm = defineScript({
  name: 'conv/append-dm',
  keys: ['log', 'state', 'ref'],
  args: [
    'from',
    'other',
    'guard',
    'retry',
    'needle',
    'tail',
    'limit',
    'window',
    'maxlen',
    'ttl',
    'ref_ttl',
    'quiet',
  ],
  decode: (reply): DmAppended => {
    const [is, id, tail = '', note] = strings(reply)
    return is === 'ok' || is === 'dup'
      ? { is, id: id as MessageId, tail, note: note === '1' }
      : { is: is as 'blocked' | 'stranger_limit' }
  },
})
