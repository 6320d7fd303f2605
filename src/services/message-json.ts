/**
 * The JSON of messages in pieces. A message is serialised once, by the gateway that takes it, as a tail without
 * braces, op and id; scripts and readers put the id in front by concatenation and nobody parses it on the way.
 */
import type { EventBody, MessageFrame } from '@starling/protocol/frames'
import type { ConvId, UserId } from '@starling/protocol/ids'

/** What an entry with this sender and ref starts with. A ref may hold quotes, so it is written as JSON. */
export const needleOf = (conv: ConvId, from: UserId, ref: string): string =>
  `"conv":"${conv}","from":"${from}","ref":${JSON.stringify(ref)},`

/** @returns the whole tail of a user's message; `body` is JSON already */
export function messageTail(
  needle: string,
  body: string,
  more: { reply?: string | undefined; mentions?: readonly string[] | undefined },
): string {
  let tail = `${needle}"body":${body}`
  if (more.reply !== undefined) tail += `,"reply":"${more.reply}"`
  if (more.mentions !== undefined) tail += `,"mentions":${JSON.stringify(more.mentions)}`
  return tail
}

/** @returns the tail of a server's event; it has no ref */
export const eventTail = (conv: ConvId, from: UserId, body: EventBody): string =>
  `"conv":"${conv}","from":"${from}","body":${JSON.stringify(body)}`

/** @returns an event's tail around its list of users, which a script fills in */
export function eventTailAround(
  conv: ConvId,
  from: UserId,
  body: (users: string[]) => EventBody,
): { before: string; after: string } {
  const gap = '["*"]' // no user can be called that
  const [before = '', after = ''] = eventTail(conv, from, body(['*'])).split(gap)
  return { before, after }
}

/** @returns an entry of a log as history has it */
export const historyJson = (id: string, tail: string): string => `{"id":"${id}",${tail}}`
/** @returns an entry of a log as a `message` frame */
export const logFrame = (id: string, tail: string): string => `{"op":"message","id":"${id}",${tail}}`
/** @returns an entry of an inbox as a `message` frame */
export const inboxFrame = (position: string, id: string, tail: string): string =>
  `{"op":"message","id":"${id}",${tail},"inbox":"${position}"}`
/** @returns an entry of a log as an object, for lists that look inside */
export const parseMessage = (id: string, tail: string): MessageFrame =>
  JSON.parse(logFrame(id, tail)) as MessageFrame

/** @returns the `ack` of a send */
export function ackFrame(
  ref: string,
  { conv, id, inbox, dup }: { conv: string; id: string; inbox?: string; dup?: true },
): string {
  const place = inbox === undefined ? '' : `,"inbox":"${inbox}"`
  return `{"op":"ack","ref":${JSON.stringify(ref)},"conv":"${conv}","id":"${id}"${place}${dup ? ',"dup":true' : ''}}`
}

const TAIL_START = /^"conv":"([^"]+)","from":"([^"]+)"/

/** @returns whose message an entry is, without parsing the message */
export function tailHead(tail: string): { conv: string; from: string } | undefined {
  const match = TAIL_START.exec(tail)
  return match ? { conv: match[1]!, from: match[2]! } : undefined
}
