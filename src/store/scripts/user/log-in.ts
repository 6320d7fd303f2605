import { defineScript, strings } from '../../script.ts'

export const logInUser = defineScript({
  name: 'user/log-in',
  keys: ['refresh'],
  args: ['digest', 'ttl'],
  decode: (reply): 'ok' => {
    return strings(reply)[0] as 'ok'
  },
})
