import type { MessageId, UserId } from '@starling/protocol/ids'
import type { MemberListed, MembersListed } from '../../../services/ports.ts'
import { defineScript, strings } from '../../script.ts'

export const listMembers = defineScript({
  name: 'group/list-members',
  keys: ['members', 'roster', 'state'],
  args: ['user', 'after', 'count'],
  decode: (reply): MembersListed => {
    const [is, total, ...rest] = strings(reply)
    if (is !== 'ok') return { is: is as 'not_found' | 'not_member' }
    const members: MemberListed[] = []
    for (let at = 0; at < rest.length; at += 4) {
      const [user, role, joined, mutedUntil] = rest.slice(at, at + 4)
      members.push({
        user: user as UserId,
        role: role as MemberListed['role'],
        joined: joined as MessageId,
        mutedUntil: Number(mutedUntil),
      })
    }
    return { is, total: Number(total), members }
  },
})
