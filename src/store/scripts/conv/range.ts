import type { MessageId } from '@starling/protocol/ids'
import type { ConvRange } from '../../../services/ports.ts'
import { defineScript, pairs, strings } from '../../script.ts'

export const rangeLog = defineScript({
  name: 'conv/range',
  keys: ['log', 'state', 'members'],
  args: ['kind', 'user', 'order', 'low', 'high', 'count'],
  decode: (reply): ConvRange => {
    const [is, head, floor, first, ...rest] = strings(reply)
    if (is !== 'ok') return { is: is as 'not_found' | 'not_member' }
    return {
      is,
      head: head as MessageId,
      floor: floor as MessageId,
      first: (first || undefined) as MessageId | undefined,
      entries: pairs(rest).map(([id, tail]) => ({ id: id as MessageId, tail })),
    }
  },
})
