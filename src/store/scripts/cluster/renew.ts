import type { NodeId } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export type Renewed = { is: 'ok'; lapsed: NodeId[] } | { is: 'lost' }

export const renewLease = defineScript({
  name: 'cluster/renew',
  keys: ['nodes', 'reaping', 'info'],
  args: ['node', 'lease', 'first', 'about'],
  decode: (reply): Renewed => {
    const [is, ...lapsed] = strings(reply)
    return is === 'ok' ? { is, lapsed: lapsed as NodeId[] } : { is: 'lost' }
  },
})
