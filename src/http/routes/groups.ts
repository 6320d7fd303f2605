/** Groups and who is in them. */
import { z } from '@hono/zod-openapi'
import type { GroupId } from '@starling/protocol/ids'
import { GROUP_BATCH } from '@starling/protocol/limits'
import { label, userId } from '@starling/protocol/schemas'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { body, json, userRoute } from '../route.ts'
import { cursor, idParam, page } from '../schemas.ts'

const MAX_NAME = 100
const MAX_INTRO = 1_000
const MAX_ICON = 2_048

const joinSetting = z.enum(['invite', 'open']).openapi({ description: 'open: everybody may join' })
const historySetting = z
  .enum(['joined', 'all'])
  .openapi({ description: 'what a new member sees of the past: from their joining on, or everything' })

const group = z
  .object({
    id: z.string(),
    name: z.string(),
    intro: z.string(),
    icon: z.string(),
    owner: z.string(),
    members: z.number().openapi({ description: 'how many' }),
    join: joinSetting,
    history: historySetting,
    createdAt: z.number().openapi({ description: 'Unix ms' }),
  })
  .openapi('Group')

const eventId = z.string().openapi({ description: 'the id of the event in the group' })

const create = userRoute({
  method: 'post',
  path: '/groups',
  summary: 'Makes a group, of which one becomes the owner',
  tags: ['groups'],
  request: {
    body: body(
      z.object({
        name: label(MAX_NAME),
        intro: label(MAX_INTRO).or(z.literal('')).optional(),
        icon: label(MAX_ICON).or(z.literal('')).optional(),
        members: z.array(userId).max(GROUP_BATCH).optional(),
        join: joinSetting.optional(),
        history: historySetting.optional(),
      }),
    ),
  },
  responses: { 201: json(group, 'The group') },
})

const get = userRoute({
  method: 'get',
  path: '/groups/{id}',
  summary: 'What a group is',
  tags: ['groups'],
  request: { params: idParam },
  responses: { 200: json(group, 'The group') },
})

const member = z
  .object({
    user: z.string(),
    role: z.enum(['owner', 'admin', 'member']),
    joined: z.number().openapi({ description: 'Unix ms' }),
    mutedUntil: z.number().optional().openapi({ description: 'Unix ms, while it lasts' }),
  })
  .openapi('Member')

const listMembers = userRoute({
  method: 'get',
  path: '/groups/{id}/members',
  summary: 'Who is in a group',
  tags: ['groups'],
  request: { params: idParam, query: page },
  responses: { 200: json(z.object({ members: z.array(member), total: z.number(), cursor }), 'A page') },
})

const addMembers = userRoute({
  method: 'post',
  path: '/groups/{id}/members',
  summary: 'Invites users; with oneself alone, joins an open group',
  tags: ['groups'],
  request: {
    params: idParam,
    body: body(z.object({ users: z.array(userId).min(1).max(GROUP_BATCH) })),
  },
  responses: { 200: json(z.object({ added: z.array(z.string()), id: eventId }), 'Who was not in it before') },
})

const removeMember = userRoute({
  method: 'delete',
  path: '/groups/{id}/members/{user}',
  summary: 'Removes a member, or leaves',
  tags: ['groups'],
  request: { params: z.object({ id: userId, user: userId }) },
  responses: { 200: json(z.object({ id: eventId }), 'Behind this id they get nothing') },
})

export function groupRoutes(api: Api, { groups }: Pick<HttpDeps, 'groups'>): void {
  const groupOf = (c: { req: { valid(what: 'param'): { id: string } } }) => c.req.valid('param').id as GroupId

  api.openapi(create, async (c) => {
    // What a schema calls optional is absent where it isn't given: JSON knows no undefined.
    const about = c.req.valid('json') as Parameters<HttpDeps['groups']['create']>[1]
    return c.json(await groups.create(c.var.user, about), 201)
  })
  api.openapi(get, async (c) => c.json(await groups.get(c.var.user, groupOf(c)), 200))
  api.openapi(listMembers, async (c) => {
    return c.json(await groups.members(c.var.user, groupOf(c), c.req.valid('query')), 200)
  })
  api.openapi(addMembers, async (c) => {
    return c.json(await groups.add(c.var.user, groupOf(c), c.req.valid('json').users), 200)
  })
  api.openapi(removeMember, async (c) => {
    return c.json(await groups.remove(c.var.user, groupOf(c), c.req.valid('param').user), 200)
  })
}
