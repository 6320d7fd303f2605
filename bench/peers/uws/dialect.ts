/** The raw ceiling's frames: what comes back is what was sent. */
import type { Dialect, Kind } from '../../load/dialect.ts'
import { BODY, stampOf } from '../../load/stamp.ts'

const TYPE_AT = '{"type":"'.length

/** An echoed send is its ack, a published one a message. */
const byFirstLetter: Record<string, Kind> = { s: 'ack', a: 'ack', p: 'message', w: 'welcome' }
const kinds = Array.from(
  { length: 128 },
  (_, code): Kind => byFirstLetter[String.fromCharCode(code)] ?? 'other',
)

export const raw: Dialect = {
  path: '/',
  greeted: false,
  login: ({ groups }) => [JSON.stringify({ type: 'login', topic: groups?.[0] ?? 'none' })],
  sends: (to) => {
    const type = to.startsWith('group:') ? 'publish' : 'send'
    return (stamp) => `{"type":"${type}","to":"${to}","ref":"${stampOf(stamp)}","body":${BODY}}`
  },
  kindOf: (data, start) => kinds[data[start + TYPE_AT]!] ?? 'other',
}
