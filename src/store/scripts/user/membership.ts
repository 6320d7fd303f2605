import type { InboxPosition } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export const noteMembership = defineScript({
  name: 'user/membership',
  keys: ['groups', 'turns', 'inbox', 'state'],
  args: ['change', 'user', 'group', 'id', 'tail', 'to', 'maxlen', 'ttl'],
  decode: (reply): InboxPosition | undefined => {
    return strings(reply)[1] as InboxPosition | undefined
  },
})
