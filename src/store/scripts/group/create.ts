import type { MessageId } from '@starling/protocol/ids'
import type { Created } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const createGroup = defineScript({
  name: 'group/create',
  keys: ['state', 'log', 'members', 'roster', 'reads', 'untold'],
  args: ['group', 'owner', 'name', 'intro', 'icon', 'join', 'history', 'tail', 'ttl'],
  decode: (reply): Created => {
    const [is, id, createdAt] = strings(reply)
    return is === 'ok' ? { is, id: id as MessageId, createdAt: Number(createdAt) } : { is: 'conflict' }
  },
})
