/** What a group's events mean for the one who reads them. */
import type { Message } from '@starling/protocol/frames'

/** How one's membership of a group came to its end. */
export type Ending = 'left' | 'removed' | 'dissolved'

/** @returns how `message` ends the membership of `me`; undefined where it doesn't */
export function endsFor(me: string, message: Message): Ending | undefined {
  const { body } = message
  if (body.type !== 'event') return undefined
  if (body.event === 'member_left' && body.users.includes(me)) return 'left'
  if (body.event === 'member_removed' && body.users.includes(me)) return 'removed'
  if (body.event === 'group_dissolved') return 'dissolved'
  return undefined
}
