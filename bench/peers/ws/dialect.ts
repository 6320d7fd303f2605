/** The frames of the plain chat: JSON with a `type`. */
import type { Dialect, Kind } from '../../load/dialect.ts'
import { BODY, stampOf } from '../../load/stamp.ts'

/** Where the name of the type begins: every frame starts with it. */
const TYPE_AT = '{"type":"'.length

const byFirstLetter: Record<string, Kind> = { a: 'ack', m: 'message', w: 'welcome', e: 'error' }
const kinds = Array.from(
  { length: 128 },
  (_, code): Kind => byFirstLetter[String.fromCharCode(code)] ?? 'other',
)

export const plain: Dialect = {
  path: '/',
  greeted: false,
  login: ({ token }, catchesUp) => [
    JSON.stringify({ type: 'login', token, ...(catchesUp && { since: '0-0' }) }),
  ],
  sends: (to) => (stamp) => `{"type":"send","to":"${to}","ref":"${stampOf(stamp)}","body":${BODY}}`,
  kindOf: (data, start) => kinds[data[start + TYPE_AT]!] ?? 'other',
}
