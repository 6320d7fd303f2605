/** The list of one's conversations, and reading back in them. */
import { z } from '@hono/zod-openapi'
import type { TypedResponse } from 'hono'
import type { JSONParsed } from 'hono/utils/types'
import type { HistoryPage } from '../../services/history.ts'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { json, userRoute } from '../route.ts'
import { conversation, convParam, cursor, message, page, stretch } from '../schemas.ts'

const list = userRoute({
  method: 'get',
  path: '/conversations',
  summary: 'One’s conversations, the latest activity first',
  tags: ['conversations'],
  request: { query: page },
  responses: { 200: json(z.object({ conversations: z.array(conversation), cursor }), 'A page') },
})

const one = userRoute({
  method: 'get',
  path: '/conversations/{conv}',
  summary: 'One conversation',
  tags: ['conversations'],
  request: { params: convParam },
  responses: { 200: json(conversation, 'As the list has it') },
})

const historyAnswer = z.object({
  messages: z.array(message).openapi({ description: 'oldest first' }),
  more: z.boolean().openapi({ description: 'whether there are more in the direction asked' }),
})

const messages = userRoute({
  method: 'get',
  path: '/conversations/{conv}/messages',
  summary: 'Messages before or after an id, or from a time on; else the newest',
  tags: ['conversations'],
  request: { params: convParam, query: stretch },
  responses: { 200: json(historyAnswer, 'A stretch of the log') },
})

function historyPage({ before, after, at, limit }: z.output<typeof stretch>): HistoryPage {
  if (after !== undefined) return { after, limit }
  if (at !== undefined) return { at, limit }
  return { before, limit }
}

export function conversationRoutes(api: Api, { history }: Pick<HttpDeps, 'history'>): void {
  api.openapi(list, async (c) => {
    return c.json(await history.conversations(c.var.user, c.req.valid('query')), 200)
  })
  api.openapi(one, async (c) => {
    return c.json(await history.conversation(c.var.user, c.req.valid('param').conv), 200)
  })
  api.openapi(messages, async (c) => {
    const { conv } = c.req.valid('param')
    const { messages: texts, more } = await history.messages(
      c.var.user,
      conv,
      historyPage(c.req.valid('query')),
    )
    // Messages leave as the JSON they were stored as: nobody parses them on the way.
    const text = `{"messages":[${texts.join(',')}],"more":${more}}`
    return c.body(text, 200, { 'content-type': 'application/json' }) as unknown as TypedResponse<
      JSONParsed<z.output<typeof historyAnswer>>,
      200,
      'json'
    >
  })
}
