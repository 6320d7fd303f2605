import type { InboxPosition } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export const deliverDm = defineScript({
  name: 'user/deliver',
  keys: ['inbox', 'state', 'convs', 'nodes'],
  args: ['entry', 'conv', 'at', 'to', 'topic', 'maxlen', 'ttl'],
  decode: (reply): InboxPosition => {
    return strings(reply)[1] as InboxPosition
  },
})
