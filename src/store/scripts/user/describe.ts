import { defineScript, strings } from '../../script.ts'

export interface Described {
  oldName: string | undefined
  name: string | undefined
  tokenName: string | undefined
  avatar: string | undefined
}

export const describeUser = defineScript({
  name: 'user/describe',
  keys: ['profile'],
  args: ['name', 'new_name', 'avatar', 'new_avatar'],
  decode: (reply): Described => {
    const [, oldName, name, tokenName, avatar] = strings(reply).map((text) => text || undefined)
    return { oldName, name, tokenName, avatar }
  },
})
