/** Starling's frames, as docs/protocol.md has them. */
import type { Dialect, Kind } from '../../load/dialect.ts'
import { BODY, stampOf } from '../../load/stamp.ts'

/** Where the name of the op begins: every frame of a gateway starts with its op. */
const OP_AT = '{"op":"'.length

const OVERLOADED = '"code":"overloaded"'

const byFirstLetter: Record<string, Kind> = { a: 'ack', m: 'message', b: 'message', w: 'welcome', e: 'error' }
const kinds = Array.from(
  { length: 128 },
  (_, code): Kind => byFirstLetter[String.fromCharCode(code)] ?? 'other',
)

export const starling: Dialect = {
  path: '/ws',
  subprotocol: 'starling.v1',
  greeted: false,
  login: ({ user, token }, catchesUp) => [
    JSON.stringify({ op: 'hello', ref: 'hello', token, device: `device-${user}`, platform: 'bench' }),
    ...(catchesUp ? [JSON.stringify({ op: 'sync', ref: 'sync', inbox: '0-0' })] : []),
  ],
  sends: (to) => (stamp) => `{"op":"send","ref":"${stampOf(stamp)}","to":"${to}","body":${BODY}}`,
  kindOf(data, start, end) {
    const kind = kinds[data[start + OP_AT]!] ?? 'other'
    return kind === 'error' && data.toString('latin1', start, end).includes(OVERLOADED) ? 'refusal' : kind
  },
}
