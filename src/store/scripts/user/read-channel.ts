import type { MessageId } from '@starling/protocol/ids'
import { defineBatch, strings } from '../../script.ts'

export const readChannel = defineBatch({
  name: 'user/read-channel',
  args: [],
  job: ['own', 'conv', 'id', 'first'],
  decode: (reply): { moved: boolean; position: MessageId } => {
    const [is, position] = strings(reply)
    return { moved: is === 'moved', position: position as MessageId }
  },
})
