import type { MessageId } from '@starling/protocol/ids'
import type { MemberRemoved } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const removeMember = defineScript({
  name: 'group/remove-member',
  keys: ['state', 'log', 'members', 'roster', 'reads', 'untold'],
  args: ['group', 'by', 'user', 'to', 'topic', 'tail', 'maxlen', 'ttl'],
  decode: (reply): MemberRemoved => {
    const [is, id] = strings(reply)
    return is === 'ok' ? { is, id: id as MessageId } : { is: is as Exclude<MemberRemoved['is'], 'ok'> }
  },
})
