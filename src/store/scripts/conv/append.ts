import type { MessageId } from '@starling/protocol/ids'
import type { Appended } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const appendMessage = defineScript({
  name: 'conv/append',
  keys: ['log', 'state', 'members', 'nodes', 'reads', 'ref'],
  args: ['from', 'guard', 'retry', 'needle', 'tail', 'to', 'topic', 'maxlen', 'ttl', 'ref_ttl'],
  decode: (reply): Appended => {
    const [is, id] = strings(reply)
    return is === 'ok' || is === 'dup'
      ? { is, id: id as MessageId }
      : { is: is as 'not_found' | 'not_member' | 'muted' }
  },
})
