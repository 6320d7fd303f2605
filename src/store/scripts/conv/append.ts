import type { MessageId } from '@starling/protocol/ids'
import type { Appended } from '../../../services/ports.ts'
import { defineBatch } from '../../script.ts'

export const appendMessage = defineBatch({
  name: 'conv/append',
  args: ['to', 'ref_ttl', 'maxlen', 'ttl'],
  job: ['own', 'conv', 'from', 'guard', 'ref', 'needle', 'tail'],
  decode: (reply): Appended => {
    const text = reply as string
    const [is, id] = text.split(' ', 2)
    return is === 'ok' || is === 'dup'
      ? { is, id: id as MessageId }
      : { is: is as 'not_found' | 'not_member' | 'muted' }
  },
})
