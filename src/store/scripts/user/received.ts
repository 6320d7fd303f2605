import type { MessageId } from '@starling/protocol/ids'
import type { LogEntry } from '../../../services/ports.ts'
import { defineScript, pairs, strings } from '../../script.ts'

export const noteReceived = defineScript({
  name: 'user/received',
  keys: ['devices', 'state', 'inbox'],
  args: ['device', 'position', 'now'],
  decode: (reply): { covered: LogEntry[] } => {
    const stored = pairs(strings(reply).slice(1))
    return { covered: stored.map(([id, tail]) => ({ id: id as MessageId, tail })) }
  },
})
