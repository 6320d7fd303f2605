/** The documentation of the API, made once from the routes as they are declared. */
import type { Api } from './context.ts'

const INFO = {
  title: 'Starling',
  version: '1',
  description: 'What is a resource goes over HTTP; what is live goes over the WebSocket at `/ws`.',
}

export function describeApi(app: Api): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'user', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A user’s token',
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'server', {
    type: 'http',
    scheme: 'bearer',
    description: 'The deployment’s API key',
  })
  let document: string | undefined
  app.get('/openapi.json', (c) => {
    document ??= JSON.stringify(app.getOpenAPI31Document({ openapi: '3.1.0', info: INFO }))
    return c.body(document, 200, { 'content-type': 'application/json' })
  })
}
