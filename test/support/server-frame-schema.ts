/**
 * What a gateway may send, as strict schemas: a field too many, a code that the page doesn't know or an id of another
 * form is a finding. The types of `@starling/protocol` hold each schema to its frame, and all of them to the ops there are.
 */
import { CLOSE_CODES } from '@starling/protocol/close'
import { ERROR_CODES, type ErrorCode } from '@starling/protocol/errors'
import type { Body, ServerFrame, ServerFrameOf, ServerOp } from '@starling/protocol/frames'
import { SESSION_PATTERN } from '@starling/protocol/ids'
import { BATCH_FRAMES } from '@starling/protocol/limits'
import { convId, messageId, ref, userId } from '@starling/protocol/schemas'
import * as z from 'zod'

const position = messageId
const count = z.int().min(0)
const session = z.string().regex(SESSION_PATTERN)
const unixMs = z.int().positive()
const users = z.array(userId)

const event = z.discriminatedUnion('event', [
  z.strictObject({ type: z.literal('event'), event: z.literal('member_joined'), users, by: userId }),
  z.strictObject({ type: z.literal('event'), event: z.literal('member_left'), users }),
  z.strictObject({ type: z.literal('event'), event: z.literal('member_removed'), users, by: userId }),
  z.strictObject({
    type: z.literal('event'),
    event: z.literal('role_changed'),
    user: userId,
    role: z.string(),
    by: userId,
  }),
  z.strictObject({
    type: z.literal('event'),
    event: z.literal('group_updated'),
    fields: z.array(z.string()),
    by: userId,
  }),
  z.strictObject({ type: z.literal('event'), event: z.literal('group_dissolved'), by: userId }),
  z.strictObject({
    type: z.literal('event'),
    event: z.literal('message_recalled'),
    id: messageId,
    by: userId,
  }),
])

const body = z.union([
  z.looseObject({ type: z.literal('text'), text: z.string().min(1) }),
  z.looseObject({
    type: z.enum(['image', 'file']),
    url: z.string().min(1),
    name: z.string(),
    size: count,
    mime: z.string(),
  }),
  z.looseObject({ type: z.literal('custom') }),
  event,
])

const messageFields = {
  conv: convId,
  id: messageId,
  from: userId,
  ref: ref.exactOptional(),
  body,
  reply: messageId.exactOptional(),
  mentions: z.array(userId).max(50).exactOptional(),
}
const message = z.strictObject({
  op: z.literal('message'),
  ...messageFields,
  inbox: position.exactOptional(),
})

/** In a list a long body is cut, down to its type. */
const cutBody = z.custom<Body>(
  (value) => typeof value === 'object' && value !== null && typeof (value as Body).type === 'string',
)

const last = z.union([
  z.strictObject(messageFields),
  z.strictObject({ ...messageFields, body: cutBody, cut: z.literal(true) }),
])

const entry = z.strictObject({
  conv: convId,
  head: messageId,
  read: messageId,
  unread: count,
  peerRead: messageId.exactOptional(),
  peerReceived: messageId.exactOptional(),
  gap: z.literal(true).exactOptional(),
  last: last.exactOptional(),
  title: z.string().exactOptional(),
})

export const errorFields = {
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  message: z.string().min(1),
  field: z.string().min(1).exactOptional(),
  retryIn: z.number().positive().exactOptional(),
}

const limits = z.strictObject({
  frame: count,
  body: count,
  watch: count,
  sessions: count,
  sendsPerSecond: count,
  burst: count,
  recallMs: count,
})

const presence = z.strictObject({ on: users, off: users })

const byOp: { [Op in ServerOp]: z.ZodType<ServerFrameOf<Op>> } = {
  welcome: z.strictObject({
    op: z.literal('welcome'),
    ref: ref.exactOptional(),
    session,
    user: z.strictObject({ id: userId, name: z.string().min(1), avatar: z.string().exactOptional() }),
    node: userId,
    time: unixMs,
    heartbeat: z.literal(25_000),
    inbox: position,
    resumed: z.boolean(),
    limits,
  }),
  ack: z.strictObject({
    op: z.literal('ack'),
    ref,
    conv: convId,
    id: messageId,
    inbox: position.exactOptional(),
    dup: z.literal(true).exactOptional(),
  }),
  ok: z.strictObject({
    op: z.literal('ok'),
    ref: ref.exactOptional(),
    read: messageId.exactOptional(),
    unread: count.exactOptional(),
    presence: presence.exactOptional(),
    total: count.exactOptional(),
  }),
  error: z.strictObject({ op: z.literal('error'), ref: ref.exactOptional(), ...errorFields }),
  message,
  batch: z.strictObject({
    op: z.literal('batch'),
    ref: ref.exactOptional(),
    frames: z.array(message).min(1).max(BATCH_FRAMES),
  }),
  synced: z.strictObject({
    op: z.literal('synced'),
    ref: ref.exactOptional(),
    inbox: position,
    gap: z.literal(true).exactOptional(),
    convs: z.array(entry).max(200),
  }),
  presence: presence.extend({ op: z.literal('presence'), total: count.exactOptional() }),
  typing: z.strictObject({ op: z.literal('typing'), conv: convId, from: userId }),
  receipt: z.strictObject({
    op: z.literal('receipt'),
    conv: convId,
    user: userId,
    received: messageId.exactOptional(),
    read: messageId.exactOptional(),
  }),
  session: z.strictObject({
    op: z.literal('session'),
    sessions: z.array(
      z.strictObject({
        session,
        device: userId,
        platform: z.string().max(64),
        node: userId,
        since: unixMs,
      }),
    ),
  }),
  unread: z.strictObject({ op: z.literal('unread'), conv: convId, read: messageId, unread: count }),
  resync: z.strictObject({ op: z.literal('resync'), convs: z.array(convId).exactOptional(), within: count }),
  goodbye: z.strictObject({ op: z.literal('goodbye'), reason: z.string(), retryIn: count }),
  pong: z.strictObject({ op: z.literal('pong'), ref: ref.exactOptional(), time: unixMs, inbox: position }),
}

/** @returns what is wrong with a frame that a gateway sent; undefined where the protocol allows it */
export function frameFault(frame: ServerFrame): string | undefined {
  const schema = (Object.hasOwn(byOp, frame.op) ? byOp[frame.op] : undefined) as z.ZodType | undefined
  if (!schema) return `no such op: ${JSON.stringify(frame).slice(0, 200)}`
  const { success, error } = schema.safeParse(frame)
  return success ? undefined : `${z.prettifyError(error)} in ${JSON.stringify(frame).slice(0, 500)}`
}

/** @returns whether the page lists a close code */
export const isListedClose = (code: number): boolean => Object.hasOwn(CLOSE_CODES, code)
