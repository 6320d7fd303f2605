import type { GroupId, InboxPosition } from '@starling/protocol/ids'
import type { Rejoined } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const rejoinUser = defineScript({
  name: 'user/rejoin',
  keys: ['sessions', 'devices', 'state', 'groups', 'held', 'online'],
  args: ['user', 'node', 'to'],
  decode: (reply): Rejoined => {
    const [, came, inboxHead, ...groups] = strings(reply)
    return {
      came: Number(came) || undefined,
      inboxHead: inboxHead as InboxPosition,
      groups: groups as GroupId[],
    }
  },
})
