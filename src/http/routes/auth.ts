/** Signing in with accounts of this deployment. Not declared where tokens come from elsewhere only. */
import { z } from '@hono/zod-openapi'
import { userId } from '@starling/protocol/schemas'
import type { Api } from '../context.ts'
import type { HttpDeps } from '../deps.ts'
import { body, json, openRoute } from '../route.ts'
import { user, userName } from '../schemas.ts'

const MIN_PASSWORD = 8
const MAX_PASSWORD = 256

const wellFormed = (text: string) => text.isWellFormed()
const newPassword = z
  .string()
  .min(MIN_PASSWORD)
  .max(MAX_PASSWORD)
  .refine(wellFormed, 'must be well-formed Unicode')
const anyPassword = z.string().max(MAX_PASSWORD)

const grant = z
  .object({
    user,
    token: z.string().openapi({ description: 'a JWT, good for an hour' }),
    refreshToken: z.string().openapi({ description: 'good once, within 30 days' }),
  })
  .openapi('Grant')

const register = openRoute({
  method: 'post',
  path: '/auth/register',
  summary: 'Makes an account',
  tags: ['accounts'],
  request: { body: body(z.object({ id: userId, password: newPassword, name: userName.optional() })) },
  responses: { 201: json(grant, 'The account, signed in') },
})

const logIn = openRoute({
  method: 'post',
  path: '/auth/login',
  summary: 'Signs in with a password',
  tags: ['accounts'],
  request: { body: body(z.object({ id: userId, password: anyPassword })) },
  responses: { 200: json(grant, 'Signed in') },
})

const guest = openRoute({
  method: 'post',
  path: '/auth/guest',
  summary: 'Makes an account without a password, which ends with its tokens',
  tags: ['accounts'],
  request: { body: body(z.object({ name: userName.optional() })) },
  responses: { 201: json(grant, 'The guest, signed in') },
})

const refresh = openRoute({
  method: 'post',
  path: '/auth/refresh',
  summary: 'Takes a refresh token, once, for a new token and a new refresh token',
  tags: ['accounts'],
  request: { body: body(z.object({ refreshToken: z.string().max(256) })) },
  responses: { 200: json(grant, 'Signed in for longer') },
})

export function authRoutes(api: Api, { accounts }: Pick<HttpDeps, 'accounts'>): void {
  api.openapi(register, async (c) => {
    return c.json(await accounts.register(c.req.valid('json'), c.env.remoteAddress), 201)
  })
  api.openapi(logIn, async (c) => {
    const { id, password } = c.req.valid('json')
    return c.json(await accounts.logIn(id, password, c.env.remoteAddress), 200)
  })
  api.openapi(guest, async (c) => {
    return c.json(await accounts.guest(c.req.valid('json').name, c.env.remoteAddress), 201)
  })
  api.openapi(refresh, async (c) => {
    return c.json(await accounts.refresh(c.req.valid('json').refreshToken, c.env.remoteAddress), 200)
  })
}
