/** A conversation's log as the page holds it: messages in the order of their ids, each once. */
import type { Message } from '@starling/protocol/frames'
import { comparePositions } from '@starling/protocol/ids'

/** @returns the index of the first message whose id is not before `id` */
export function indexOf(messages: readonly Message[], id: string): number {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (comparePositions(messages[middle]!.id, id) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** @returns both in one order; what comes twice is kept as `incoming` has it */
export function merge(messages: readonly Message[], incoming: readonly Message[]): Message[] {
  const all = messages.slice()
  for (const message of incoming) {
    const at = indexOf(all, message.id)
    all.splice(at, all[at]?.id === message.id ? 1 : 0, message)
  }
  return all
}

/** @returns the id of the message that `message` takes back, where it is another one */
export function recalledBy(message: Message): string | undefined {
  const { body } = message
  return body.type === 'event' && body.event === 'message_recalled' && body.id !== message.id
    ? body.id
    : undefined
}

/** @returns the log with what `recall` takes back emptied, as the server's history shows it */
export function withoutRecalled(messages: readonly Message[], recall: Message): Message[] {
  return messages.map((message) =>
    message.id === recalledBy(recall)
      ? { conv: message.conv, id: message.id, from: message.from, body: recall.body }
      : message,
  )
}
