import type { MessageId, UserId } from '@starling/protocol/ids'
import type { MembersAdded } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const addMembers = defineScript({
  name: 'group/add-members',
  keys: ['state', 'log', 'members', 'roster', 'reads', 'nodes'],
  args: ['by', 'to', 'topic', 'before', 'after', 'maxlen', 'ttl'],
  decode: (reply): MembersAdded => {
    const [is, id, tail = '', ...added] = strings(reply)
    return is === 'ok'
      ? { is, id: id as MessageId, tail, added: added as UserId[] }
      : { is: is as 'not_found' | 'not_member' | 'forbidden' }
  },
})
