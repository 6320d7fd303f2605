import { defineScript, strings } from '../../script.ts'

export type Rotated = { is: 'ok'; name: string | undefined; avatar: string | undefined } | { is: 'unknown' }

export const rotateRefresh = defineScript({
  name: 'user/rotate-refresh',
  keys: ['refresh', 'profile'],
  args: ['old', 'digest', 'ttl'],
  decode: (reply): Rotated => {
    const [is, name, avatar] = strings(reply)
    return is === 'ok' ? { is, name: name || undefined, avatar: avatar || undefined } : { is: 'unknown' }
  },
})
