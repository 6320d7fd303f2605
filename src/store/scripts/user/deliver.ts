import type { InboxPosition } from '@starling/protocol/ids'
import { defineBatch } from '../../script.ts'

export const deliverDm = defineBatch({
  name: 'user/deliver',
  args: ['to', 'maxlen', 'ttl'],
  job: ['own', 'user', 'id', 'tail', 'noted', 'at', 'again'],
  decode: (reply) => reply as InboxPosition,
})
