import type { GroupId, InboxPosition } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export interface Rejoined {
  /** The number of this change of presence; undefined where the user was online. */
  came: number | undefined
  inboxHead: InboxPosition
  groups: GroupId[]
}

export const rejoinUser = defineScript({
  name: 'user/rejoin',
  keys: ['sessions', 'nodes', 'devices', 'state', 'groups', 'held', 'online'],
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
