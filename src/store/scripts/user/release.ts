import { defineScript } from '../../script.ts'

export const releaseUser = defineScript({
  name: 'user/release',
  keys: ['state', 'held'],
  args: ['user', 'node'],
  decode: (): void => {},
})
