import type { UserId } from '@starling/protocol/ids'
import { defineScript, pairs, strings } from '../../script.ts'

export interface Reaped {
  left: number
  sessions: number
  /** Calls of the node that have still something to tell. */
  untold: number
  /** Who went offline, with the number of that change of presence. */
  gone: [UserId, number][]
}

export const reapBucket = defineScript({
  name: 'node/reap',
  keys: ['held', 'untold', 'online'],
  args: ['node', 'bucket', 'to', 'count'],
  decode: (reply): Reaped => {
    const [, left, sessions, untold, ...gone] = strings(reply)
    return {
      left: Number(left),
      sessions: Number(sessions),
      untold: Number(untold),
      gone: pairs(gone).map(([user, change]) => [user as UserId, Number(change)]),
    }
  },
})
