import type { GroupId, InboxPosition } from '@starling/protocol/ids'
import type { Joined } from '../../../services/ports.ts'
import { defineBatch, strings } from '../../script.ts'

export const joinUser = defineBatch({
  name: 'user/join',
  args: ['to', 'max', 'forget'],
  job: ['own', 'held', 'online', 'user', 'session', 'node', 'device', 'info', 'name', 'now'],
  decode: (reply): Joined => {
    if (reply === 'full') return { is: 'full' }
    const [start = '', name, avatar, sessionFrame, ...groups] = strings(reply)
    const [came, inboxHead, oldest, position, sessions, devices] = start.split(' ')
    return {
      is: 'ok',
      came: Number(came) || undefined,
      inboxHead: inboxHead as InboxPosition,
      oldestInbox: (oldest === '-' ? undefined : oldest) as InboxPosition | undefined,
      devicePosition: (position === '-' ? undefined : position) as InboxPosition | undefined,
      sessions: Number(sessions),
      devices: Number(devices),
      name: name || undefined,
      avatar: avatar || undefined,
      sessionFrame: sessionFrame || undefined,
      groups: groups as GroupId[],
    }
  },
})
