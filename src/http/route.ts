/**
 * How routes are declared: for users, for servers, or open; each comes with its door, the checks of its body, and
 * the errors in its documentation.
 */
import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import * as z from 'zod'
import { asServer, asUser } from './auth.ts'
import type { HttpEnv } from './context.ts'
import { jsonBody } from './json-body.ts'
import { errorAnswer } from './schemas.ts'

type Door = MiddlewareHandler<HttpEnv>

const declare =
  (door: Door | undefined, security: 'user' | 'server' | undefined) =>
  <Path extends string, Route extends Omit<RouteConfig, 'path'> & { path: Path }>(route: Route): Route =>
    createRoute({
      ...route,
      security: security === undefined ? [] : [{ [security]: [] }],
      responses: { ...route.responses, default: json(errorAnswer, 'A refusal: see `error.code`') },
      // The door first: one who may not enter learns nothing of what is wrong with the request.
      middleware: [...(door ? [door] : []), ...(route.request?.body ? [jsonBody] : [])],
    })

/** A route that takes a user's JWT. */
export const userRoute = declare(asUser, 'user')
/** A route that takes the API key. */
export const serverRoute = declare(asServer, 'server')
/** A route for everybody. */
export const openRoute = declare(undefined, undefined)

/** @returns a response or request content of JSON */
export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** @returns a required request body of JSON */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { 'application/json': { schema } },
})

export const noContent = { 204: { description: 'Done' } } as const

/** Items in a query, comma-separated. */
export const listOf = <Item extends z.ZodType<unknown, string>>(item: Item, max: number) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(item).max(max))
    .meta({ description: `at most ${max}, comma-separated` })
