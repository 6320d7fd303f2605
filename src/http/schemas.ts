/**
 * What several routes answer or take, as schemas: the documentation is made from them, and requests are checked
 * with them. What one route alone needs stands beside it.
 */
import { z } from '@hono/zod-openapi'
import { ERROR_CODES, type ErrorCode } from '@starling/protocol/errors'
import type { Body } from '@starling/protocol/frames'
import { PAGE_DEFAULT, PAGE_MAX } from '@starling/protocol/limits'
import { convId, label, messageId, userId } from '@starling/protocol/schemas'
import { MAX_NAME_LENGTH } from '../services/tokens.ts'

export const errorAnswer = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      field: z.string().optional(),
      retryIn: z.number().optional().openapi({ description: 'ms after which the same may succeed' }),
    }),
  })
  .openapi('Error')

export const userName = label(MAX_NAME_LENGTH)

export const user = z
  .object({
    id: z.string(),
    name: z.string().openapi({ description: 'the id where there is no name' }),
    avatar: z.string().optional(),
  })
  .openapi('User')

const messageBody = z.custom<Body>().openapi({
  type: 'object',
  required: ['type'],
  properties: { type: { type: 'string', enum: ['text', 'image', 'file', 'custom', 'event'] } },
  additionalProperties: true,
})

export const message = z
  .object({
    conv: z.string(),
    id: z.string(),
    from: z.string(),
    ref: z.string().optional(),
    body: messageBody,
    reply: z.string().optional(),
    mentions: z.array(z.string()).optional(),
  })
  .openapi('Message')

export const conversation = z
  .object({
    conv: z.string(),
    head: z.string(),
    read: z.string(),
    unread: z.number(),
    peerRead: z.string().optional(),
    peerReceived: z.string().optional(),
    gap: z.boolean().optional(),
    last: message.extend({ cut: z.boolean().optional() }).optional(),
    title: z.string().optional(),
  })
  .openapi('Conversation')

export const session = z
  .object({
    session: z.string(),
    device: z.string(),
    platform: z.string(),
    node: z.string(),
    since: z.number().openapi({ description: 'Unix ms' }),
  })
  .openapi('Session')

export const cursor = z
  .string()
  .optional()
  .openapi({ description: 'where the next page starts; missing at the end' })

const limit = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, `must be 1 to ${PAGE_MAX}`)
  .transform(Number)
  .refine((count) => count <= PAGE_MAX, `must be 1 to ${PAGE_MAX}`)
  .default(PAGE_DEFAULT)
  .openapi({ type: 'integer', minimum: 1, maximum: PAGE_MAX, default: PAGE_DEFAULT })

/** The query of a page. */
export const page = z.object({
  cursor: z.string().min(1).max(256).optional().openapi({ description: 'what the page before gave' }),
  limit,
})

const unixMs = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a time in Unix ms')
  .transform(Number)
  .openapi({ type: 'integer' })

/** The query of a stretch of history. */
export const stretch = z
  .object({ before: messageId.optional(), after: messageId.optional(), at: unixMs.optional(), limit })
  .refine(
    ({ before, after, at }) => [before, after, at].filter((bound) => bound !== undefined).length < 2,
    'at most one of before, after, at',
  )

export const convParam = z.object({ conv: convId })
export const idParam = z.object({ id: userId })
export const userParam = z.object({ user: userId })
