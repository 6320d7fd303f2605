import type { GroupId, InboxPosition } from '@starling/protocol/ids'
import type { Joined } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const joinUser = defineScript({
  name: 'user/join',
  keys: ['sessions', 'nodes', 'devices', 'state', 'inbox', 'groups', 'profile', 'held', 'online'],
  args: ['user', 'session', 'node', 'device', 'info', 'max', 'name', 'now', 'forget', 'to'],
  decode: (reply): Joined => {
    const [is, came, inboxHead, oldest, position, devices, name, avatar, sessionFrame = '', ...groups] =
      strings(reply)
    if (is !== 'ok') return { is: 'full' }
    return {
      is,
      came: Number(came) || undefined,
      inboxHead: inboxHead as InboxPosition,
      oldestInbox: (oldest || undefined) as InboxPosition | undefined,
      devicePosition: (position || undefined) as InboxPosition | undefined,
      devices: Number(devices),
      name: name || undefined,
      avatar: avatar || undefined,
      sessionFrame,
      groups: groups as GroupId[],
    }
  },
})
