import type { MessageId } from '@starling/protocol/ids'
import type { Advanced } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const advancePosition = defineScript({
  name: 'conv/advance',
  keys: ['state', 'members', 'positions'],
  args: ['kind', 'user', 'field', 'id'],
  decode: (reply): Advanced => {
    const [is, position, head] = strings(reply)
    return is === 'moved' || is === 'stale'
      ? { is, position: position as MessageId, head: head as MessageId }
      : { is: is as 'not_found' | 'not_member' }
  },
})
