/** Socket.IO's frames: Engine.IO 4 with one WebSocket, events and acks of the default namespace. */
import type { Dialect } from '../../load/dialect.ts'
import { BODY, stampOf } from '../../load/stamp.ts'

const [OPEN, PING, MESSAGE] = [0x30, 0x32, 0x34]
const [CONNECT, EVENT, ACK, CONNECT_ERROR] = [0x30, 0x32, 0x33, 0x34]

export const socketIo: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  greeted: true,
  pong: '3',
  // What a client knows goes along with its connect packet, as Socket.IO's own guide has it.
  login: ({ token }, catchesUp) => [`40${JSON.stringify({ token, ...(catchesUp && { since: '0-0' }) })}`],
  // The number of an ack is the stamp's, which is the sender's own count.
  sends: (to) => (stamp) => `42${stamp.n}["send",{"to":"${to}","ref":"${stampOf(stamp)}","body":${BODY}}]`,
  kindOf(data, start) {
    if (data[start] === OPEN) return 'greeting'
    if (data[start] === PING) return 'ping'
    if (data[start] !== MESSAGE) return 'other'
    switch (data[start + 1]) {
      case CONNECT:
        return 'welcome'
      case EVENT:
        return 'message'
      case ACK:
        return 'ack'
      case CONNECT_ERROR:
        return 'error'
      default:
        return 'other'
    }
  },
}
