import { defineBatch } from '../../script.ts'

export const releaseUser = defineBatch({
  name: 'user/release',
  args: [],
  job: ['own', 'held', 'user', 'session', 'node'],
  decode: (): void => {},
})
