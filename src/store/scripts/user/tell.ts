import { defineScript, strings } from '../../script.ts'

export const tellUser = defineScript({
  name: 'user/tell',
  keys: ['state'],
  args: ['to', 'kind', 'topic', 'mark', 'frame'],
  decode: (reply): { told: number } => {
    return { told: Number(strings(reply)[1]) }
  },
})
