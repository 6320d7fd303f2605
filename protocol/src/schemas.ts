/**
 * Run-time checks of what a client may send over the WebSocket; the types of frames come from them.
 * The HTTP resources have theirs beside the routes and share the atoms at the top.
 */
import * as z from 'zod'
import {
  type ConvId,
  type DeviceId,
  ID_PATTERN,
  type InboxPosition,
  isConv,
  isPosition,
  isTarget,
  type MessageId,
  REF_PATTERN,
  type Ref,
  type Target,
  type UserId,
} from './ids.ts'
import { MAX_MENTIONS, WATCH_PER_FRAME } from './limits.ts'

/** A string schema whose output carries one of our brands. */
const branded = <Brand extends string>(schema: z.ZodType<string, string>) =>
  schema as unknown as z.ZodType<Brand, string>

const POSITION_FORM = '^(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})$'
const id = z.string().regex(ID_PATTERN, 'must be 1 to 64 of A-Z a-z 0-9 _ . - and not . or ..')

export const userId = branded<UserId>(id)
export const deviceId = branded<DeviceId>(id)
export const ref = branded<Ref>(z.string().regex(REF_PATTERN, 'must be 1 to 64 characters U+0020 to U+007E'))
export const convId = branded<ConvId>(
  z.string().refine(isConv, 'must be dm:<a>:<b>, group:<id> or channel:<id>'),
)
export const target = branded<Target>(
  z.string().refine(isTarget, 'must be user:<id>, group:<id> or channel:<id>'),
)
const position = z
  .string()
  .refine(isPosition, 'must be <ms>-<seq>')
  .meta({ pattern: POSITION_FORM, example: '1760000000000-42' })
export const messageId = branded<MessageId>(position)
export const inboxPosition = branded<InboxPosition>(position)

const wellFormed = (text: string) => text.isWellFormed()
/** Text for people, in a profile or a group: no half surrogate pairs, which UTF-8 can't keep. */
export const label = (max: number) =>
  z.string().min(1).max(max).refine(wellFormed, 'must be well-formed Unicode')

const text = z.looseObject({ type: z.literal('text'), text: z.string().min(1) })
const attachment = z.looseObject({
  type: z.enum(['image', 'file']),
  url: z.string().min(1),
  name: z.string(),
  size: z.int().min(0),
  mime: z.string(),
})
const custom = z.looseObject({ type: z.literal('custom') })
const checkedBody = z.discriminatedUnion('type', [text, attachment, custom])

/** Whether every number can be written again: `1e999` is JSON, but reads as one that JSON has no word for. */
const isWritable = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(isWritable)

/**
 * A message body. The value itself is passed on, not a copy of what the schema knows:
 * a field named `__proto__` is the sender's business and must arrive.
 */
export const body = z
  .unknown()
  .superRefine((value, context) => {
    const found = checkedBody.safeParse(value)
    if (!found.success) {
      for (const { path, message } of found.error.issues) context.addIssue({ code: 'custom', path, message })
    } else if (!isWritable(value)) {
      context.addIssue({ code: 'custom', message: 'has a number that is too large' })
    }
  })
  .meta({
    type: 'object',
    required: ['type'],
    properties: { type: { enum: ['text', 'image', 'file', 'custom'] } },
  })
  .transform((value) => value as z.infer<typeof checkedBody>)

/** Positions by conversation, as own entries: an id like `__proto__` is an id like any other. */
const positionsByConv = z
  .unknown()
  .superRefine((value, context) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      context.addIssue({ code: 'custom', message: 'must be an object of positions by conversation' })
      return
    }
    for (const [conv, at] of Object.entries(value)) {
      if (!isConv(conv)) context.addIssue({ code: 'custom', message: 'a key is no conversation' })
      else if (!isPosition(at)) context.addIssue({ code: 'custom', message: 'a value is no message id' })
    }
  })
  .transform((value) => new Map(Object.entries(value as Record<ConvId, MessageId>) as [ConvId, MessageId][]))

export const MAX_PLATFORM_LENGTH = 64

const hello = z.object({
  op: z.literal('hello'),
  ref: ref.optional(),
  /** A missing one is no wrong field but a missing right: `unauthorized`. */
  token: z.string().default(''),
  device: deviceId,
  platform: z.string().max(MAX_PLATFORM_LENGTH).refine(wellFormed, 'must be well-formed Unicode').optional(),
  inbox: inboxPosition.optional(),
})
const token = z.object({ op: z.literal('token'), ref: ref.optional(), token: z.string() })
const ping = z.object({ op: z.literal('ping'), ref: ref.optional() })
const send = z.object({
  op: z.literal('send'),
  ref,
  to: target,
  body,
  reply: messageId.optional(),
  mentions: z.array(userId).max(MAX_MENTIONS).optional(),
  retry: z.boolean().optional(),
})
const typing = z.object({ op: z.literal('typing'), ref: ref.optional(), to: target })
const read = z.object({ op: z.literal('read'), ref: ref.optional(), conv: convId, id: messageId })
const received = z.object({ op: z.literal('received'), ref: ref.optional(), inbox: inboxPosition })
const sync = z.object({
  op: z.literal('sync'),
  ref: ref.optional(),
  inbox: inboxPosition.optional(),
  convs: positionsByConv.optional(),
})
const watched = z.array(z.union([z.literal('*'), userId])).max(WATCH_PER_FRAME)
const watch = z.object({ op: z.literal('watch'), ref: ref.optional(), users: watched })
const unwatch = z.object({ op: z.literal('unwatch'), ref: ref.optional(), users: watched })

/** Any frame a client may send. */
export const clientFrame = z.discriminatedUnion('op', [
  hello,
  token,
  ping,
  send,
  typing,
  read,
  received,
  sync,
  watch,
  unwatch,
])
