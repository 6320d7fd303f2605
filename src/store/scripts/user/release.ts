import { defineScript } from '../../script.ts'

export const releaseUser = defineScript({
  name: 'user/release',
  keys: ['nodes', 'held'],
  args: ['user', 'node'],
  decode: (): void => {},
})
