import { defineBatch } from '../../script.ts'

export const endPresence = defineBatch({
  name: 'user/offline',
  args: [],
  job: ['own', 'held', 'online', 'user', 'session', 'node'],
  decode: (reply): { gone: number | undefined } => ({ gone: reply === 'stays' ? undefined : Number(reply) }),
})
