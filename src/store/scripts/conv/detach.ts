import { defineScript } from '../../script.ts'

export const detachNode = defineScript({
  name: 'conv/detach',
  keys: ['nodes', 'held'],
  args: ['conv', 'node'],
  decode: (): void => {},
})
