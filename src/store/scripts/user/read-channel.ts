import type { MessageId } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export const readChannel = defineScript({
  name: 'user/read-channel',
  keys: ['reads'],
  args: ['conv', 'id', 'first'],
  decode: (reply): { moved: boolean; position: MessageId } => {
    const [is, position] = strings(reply)
    return { moved: is === 'moved', position: position as MessageId }
  },
})
