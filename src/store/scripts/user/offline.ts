import { defineScript, strings } from '../../script.ts'

export const endPresence = defineScript({
  name: 'user/offline',
  keys: ['sessions', 'state', 'online'],
  args: ['user', 'session'],
  decode: (reply): { gone: number | undefined } => {
    const [is, change] = strings(reply)
    return { gone: is === 'gone' ? Number(change) : undefined }
  },
})
