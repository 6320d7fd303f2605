import type { GroupId, InboxPosition } from '@starling/protocol/ids'
import type { Joined } from '../../../services/ports.ts'
import { defineBatch, strings } from '../../script.ts'

export const joinUser = defineBatch({
  name: 'user/join',
  args: ['to', 'max', 'forget'],
  job: ['own', 'held', 'online', 'user', 'session', 'node', 'device', 'info', 'name', 'now'],
  decode: (reply): Joined => {
    const [
      is,
      came,
      inboxHead,
      oldest,
      position,
      sessions,
      devices,
      name,
      avatar,
      sessionFrame = '',
      ...groups
    ] = strings(reply)
    if (is !== 'ok') return { is: 'full' }
    return {
      is,
      came: Number(came) || undefined,
      inboxHead: inboxHead as InboxPosition,
      oldestInbox: (oldest || undefined) as InboxPosition | undefined,
      devicePosition: (position || undefined) as InboxPosition | undefined,
      sessions: Number(sessions),
      devices: Number(devices),
      name: name || undefined,
      avatar: avatar || undefined,
      sessionFrame,
      groups: groups as GroupId[],
    }
  },
})
