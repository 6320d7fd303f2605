import { defineBatch } from '../../script.ts'

export const leaveUser = defineBatch({
  name: 'user/leave',
  args: ['to'],
  job: ['own', 'held', 'user', 'session', 'node'],
  decode: (reply): { last: boolean } => ({ last: reply === 'last' }),
})
