/** The documentation against the code: it is made from the routes, and this holds what it can't know itself. */
import { ERROR_CODES } from '@starling/protocol/errors'
import { expect, test } from 'vitest'
import { bareApp } from './bare-app.ts'

interface Operation {
  security: Record<string, unknown>[]
  summary?: string
  responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>
}

const document = (await (await bareApp().ask('/openapi.json')).json()) as {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<
      string,
      { properties: Record<string, { properties: Record<string, { enum?: string[] }> }> }
    >
    securitySchemes: Record<string, unknown>
  }
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, ...operation })),
)

test('is OpenAPI 3.1 of everything below /api/v1', () => {
  expect(document.openapi).toBe('3.1.0')
  expect(operations.length).toBeGreaterThan(25)
  for (const { name } of operations) expect(name).toContain(' /api/v1/')
})

test('names every error code, in every operation', () => {
  const error = document.components.schemas['Error']
  expect(error?.properties['error']?.properties['code']?.enum).toEqual(Object.keys(ERROR_CODES))
  for (const { name, responses } of operations) {
    const schema = responses['default']?.content?.['application/json']?.schema
    expect([name, schema?.$ref]).toEqual([name, '#/components/schemas/Error'])
  }
})

test('says who may call what', () => {
  const open = operations.filter(({ security }) => security.length === 0).map(({ name }) => name)
  expect(open).toEqual(['register', 'login', 'guest', 'refresh'].map((verb) => `post /api/v1/auth/${verb}`))
  const server = operations.filter(({ security }) => security.some((way) => 'server' in way))
  expect(server.map(({ name }) => name)).toEqual([
    'post /api/v1/tokens',
    'post /api/v1/push',
    'delete /api/v1/users/{id}/sessions',
    'get /api/v1/stats',
  ])
  expect(Object.keys(document.components.securitySchemes)).toEqual(['user', 'server'])
})

test('leaves accounts out where tokens come from elsewhere only', async () => {
  const { ask } = bareApp({ config: { AUTH: 'external', API_KEY: undefined, ALLOWED_ORIGINS: undefined } })
  expect(await (await ask('/openapi.json')).text()).not.toContain('/auth/')
})
