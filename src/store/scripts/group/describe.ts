import type { UserId } from '@starling/protocol/ids'
import type { GroupDescribed } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const describeGroup = defineScript({
  name: 'group/describe',
  keys: ['state', 'members'],
  args: ['user'],
  decode: (reply): GroupDescribed => {
    const [is, name = '', intro = '', icon = '', owner, members, join, history, createdAt] = strings(reply)
    if (is !== 'ok') return { is: is as 'not_found' | 'not_member' }
    return {
      is,
      name,
      intro,
      icon,
      owner: owner as UserId,
      members: Number(members),
      join: join as 'invite' | 'open',
      history: history as 'joined' | 'all',
      createdAt: Number(createdAt),
    }
  },
})
