import { defineScript, strings } from '../../script.ts'

export const noteReceived = defineScript({
  name: 'user/received',
  keys: ['devices', 'state', 'inbox'],
  args: ['device', 'position', 'now'],
  decode: (reply): { covered: string[] } => {
    return { covered: strings(reply).slice(1) }
  },
})
