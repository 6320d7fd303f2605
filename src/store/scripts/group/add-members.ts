import type { MessageId, UserId } from '@starling/protocol/ids'
import type { MembersAdded } from '../../../services/ports.ts'
import { defineScript, pairs, strings } from '../../script.ts'

export const addMembers = defineScript({
  name: 'group/add-members',
  keys: ['state', 'log', 'members', 'roster', 'reads', 'untold'],
  args: ['group', 'by', 'to', 'topic', 'before', 'after', 'maxlen', 'ttl'],
  decode: (reply): MembersAdded => {
    const [is, id, tail = '', ...all] = strings(reply)
    if (is !== 'ok') return { is: is as 'not_found' | 'not_member' | 'forbidden' }
    const isNew = ([, joined]: [string, string]) => tail !== '' && joined === id
    const [added, there] = [pairs(all).filter(isNew), pairs(all).filter((pair) => !isNew(pair))]
    return {
      is,
      id: id as MessageId,
      tail,
      added: added.map(([user]) => user as UserId),
      there: there as [UserId, MessageId][],
    }
  },
})
