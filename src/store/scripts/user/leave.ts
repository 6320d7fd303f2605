import { defineScript, strings } from '../../script.ts'

export const leaveUser = defineScript({
  name: 'user/leave',
  keys: ['sessions', 'devices', 'state', 'held'],
  args: ['user', 'session', 'node', 'to'],
  decode: (reply): { last: boolean } => {
    return { last: strings(reply)[0] === 'last' }
  },
})
