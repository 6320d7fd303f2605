import { defineScript, strings } from '../../script.ts'

export interface Described {
  name: string | undefined
  tokenName: string | undefined
  avatar: string | undefined
}

export const describeUser = defineScript({
  name: 'user/describe',
  keys: ['profile', 'people'],
  args: ['user', 'own', 'name', 'new_name', 'word', 'avatar', 'new_avatar'],
  decode: (reply): Described => {
    const [, name, tokenName, avatar] = strings(reply)
    return { name: name || undefined, tokenName: tokenName || undefined, avatar: avatar || undefined }
  },
})
