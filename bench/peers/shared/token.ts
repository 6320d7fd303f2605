/** Who a token says its bearer is. The peers take the groups from it too: a lookup that they are spared. */
import jwt from 'jsonwebtoken'

export interface Claims {
  sub: string
  groups?: string[]
}

/** @throws Error where it is not good */
export function verify(token: string): Claims {
  return jwt.verify(token, process.env['JWT_SECRET']!, { algorithms: ['HS256'] }) as Claims
}
