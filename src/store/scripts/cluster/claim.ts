import { defineScript, strings } from '../../script.ts'

export const claimNode = defineScript({
  name: 'cluster/claim',
  keys: ['nodes', 'reaping', 'info'],
  args: ['node', 'span'],
  decode: (reply): { ours: boolean } => {
    return { ours: strings(reply)[0] === 'ok' }
  },
})
