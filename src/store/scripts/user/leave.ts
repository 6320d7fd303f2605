import { defineScript, strings } from '../../script.ts'

export const leaveUser = defineScript({
  name: 'user/leave',
  keys: ['sessions', 'nodes', 'devices', 'state', 'held'],
  args: ['user', 'session', 'node', 'to'],
  decode: (reply): { left: number } => {
    return { left: Number(strings(reply)[1]) }
  },
})
