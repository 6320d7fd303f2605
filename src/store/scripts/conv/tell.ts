import { defineScript, strings } from '../../script.ts'

export const tellConv = defineScript({
  name: 'conv/tell',
  keys: ['members', 'state'],
  args: ['user', 'to', 'topic', 'frame'],
  decode: (reply): 'ok' | 'not_member' => {
    return strings(reply)[0] as 'ok' | 'not_member'
  },
})
