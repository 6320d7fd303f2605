import { defineScript, strings } from '../../script.ts'

export const registerUser = defineScript({
  name: 'user/register',
  keys: ['profile', 'devices', 'refresh'],
  args: ['pass', 'name', 'digest', 'ttl'],
  decode: (reply): 'ok' | 'conflict' => {
    return strings(reply)[0] as 'ok' | 'conflict'
  },
})
