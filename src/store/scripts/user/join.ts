import type { GroupId, InboxPosition } from '@starling/protocol/ids'
import { defineScript, strings } from '../../script.ts'

export type Joined =
  | {
      is: 'ok'
      /** The number of this change of presence; undefined where the user was online. */
      came: number | undefined
      inboxHead: InboxPosition
      oldestInbox: InboxPosition | undefined
      /** The device's received position; undefined for one never seen before. */
      devicePosition: InboxPosition | undefined
      devices: number
      name: string | undefined
      avatar: string | undefined
      /** The `session` frame, ready to send. */
      sessionFrame: string
      groups: GroupId[]
    }
  | { is: 'full' }

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
