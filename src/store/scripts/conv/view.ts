import type { MessageId } from '@starling/protocol/ids'
import type { ConvView } from '../../../services/ports.ts'
import { defineBatch, strings } from '../../script.ts'

export const viewConv = defineBatch({
  name: 'conv/view',
  args: [],
  job: ['own', 'kind', 'user', 'other'],
  decode: (reply): ConvView => {
    const [is, head, read, peerRead, peerReceived, name, id, tail] = strings(reply)
    if (is !== 'ok') return { is: is as 'not_found' | 'not_member' }
    return {
      is,
      head: head as MessageId,
      read: (read || undefined) as MessageId | undefined,
      peerRead: (peerRead || undefined) as MessageId | undefined,
      peerReceived: (peerReceived || undefined) as MessageId | undefined,
      name: name || undefined,
      last: id && tail !== undefined ? { id: id as MessageId, tail } : undefined,
    }
  },
})
