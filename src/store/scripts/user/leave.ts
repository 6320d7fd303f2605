import { defineBatch } from '../../script.ts'

export const leaveUser = defineBatch({
  name: 'user/leave',
  args: ['to'],
  job: ['own', 'held', 'user', 'session', 'node'],
  decode: (reply): { last: boolean; online: number | undefined } => {
    const [is, online] = (reply as string).split(' ')
    return { last: is === 'last', online: Number(online) || undefined }
  },
})
