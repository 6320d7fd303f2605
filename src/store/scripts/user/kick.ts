import { defineScript, strings } from '../../script.ts'

export const kickSessions = defineScript({
  name: 'user/kick',
  keys: ['sessions', 'state'],
  args: ['user', 'session', 'to'],
  decode: (reply): 'ok' | 'not_found' | 'unheard' => {
    return strings(reply)[0] as 'ok' | 'not_found' | 'unheard'
  },
})
