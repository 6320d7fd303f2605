/** How far an own message has come. */
import type { ConversationEntry, Message } from '@starling/protocol/frames'
import { comparePositions, parseConv } from '@starling/protocol/ids'

export type Delivery = 'sending' | 'sent' | 'received' | 'read' | 'failed'

/** @returns how far a stored message has come; receipts exist in dms with another user only */
export function deliveryOf(message: Message, entry: ConversationEntry | undefined): Delivery {
  const reached = (position: string | undefined) =>
    position !== undefined && comparePositions(message.id, position) <= 0
  if (parseConv(message.conv)?.kind !== 'dm' || entry === undefined) return 'sent'
  if (reached(entry.peerRead)) return 'read'
  return reached(entry.peerReceived) ? 'received' : 'sent'
}
