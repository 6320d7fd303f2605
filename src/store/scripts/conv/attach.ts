import type { MessageId } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export interface Attached {
  head: MessageId
  /** The id the user joined at; undefined: no member. */
  joined: MessageId | undefined
}

export const attachNode = defineScript({
  name: 'conv/attach',
  keys: ['state', 'members', 'nodes', 'held'],
  args: ['conv', 'node', 'user'],
  decode: (reply): Attached => {
    const [is, head, joined] = strings(reply)
    return { head: head as MessageId, joined: is === 'ok' ? (joined as MessageId) : undefined }
  },
})
