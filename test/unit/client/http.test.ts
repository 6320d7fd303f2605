/**
 * The HTTP side against a real server that shows what it was asked.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createApi } from '../../../client/src/index.ts'

interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: string
}

async function serve(answer: Answer) {
  const asked: { method: string; url: string; auth: string | undefined; body: unknown }[] = []
  const bodyOf = async (request: IncomingMessage) => {
    let text = ''
    for await (const chunk of request) text += chunk
    return text === '' ? undefined : JSON.parse(text)
  }
  const reply = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    asked.push({ method, url, auth: headers.authorization, body: await bodyOf(request) })
    response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '{}')
  }
  const server = createServer((request, response) => void reply(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const endpoint = `ws://127.0.0.1:${port}/`
  return { asked, endpoint, api: createApi({ endpoint, getToken: () => 'jwt' }) }
}

const errorBody = (error: object) => JSON.stringify({ error })

describe('the HTTP side', () => {
  it('asks with the token, and fits every id into the path', async () => {
    const { api, asked } = await serve({ body: '{"messages":[],"more":false}' })
    expect(await api.messages('dm:__proto__:bob', { before: '5-1', limit: 10 })).toEqual({
      messages: [],
      more: false,
    })
    await api.users(['a', 'b.c'])
    await api.conversations({ cursor: undefined })
    await api.addMembers('g', ['bob'])
    expect(asked).toEqual([
      {
        method: 'GET',
        url: '/api/v1/conversations/dm%3A__proto__%3Abob/messages?before=5-1&limit=10',
        auth: 'Bearer jwt',
        body: undefined,
      },
      { method: 'GET', url: '/api/v1/users?ids=a,b.c', auth: 'Bearer jwt', body: undefined },
      { method: 'GET', url: '/api/v1/conversations', auth: 'Bearer jwt', body: undefined },
      { method: 'POST', url: '/api/v1/groups/g/members', auth: 'Bearer jwt', body: { users: ['bob'] } },
    ])
  })

  it('signs in without a token', async () => {
    const { api, asked } = await serve({ status: 201 })
    await api.login({ id: 'alice', password: 'secret' })
    expect(asked).toMatchObject([{ url: '/api/v1/auth/login', auth: undefined, body: { id: 'alice' } }])
  })

  it('takes an answer without a body', async () => {
    const { api } = await serve({ status: 204, body: '' })
    expect(await api.follow('bob')).toBeUndefined()
  })

  it('says what the server says', async () => {
    const error = { code: 'rate_limited', message: 'slower', field: 'users', retryIn: 1_500 }
    const { api } = await serve({ status: 429, headers: { 'retry-after': '9' }, body: errorBody(error) })
    await expect(api.me()).rejects.toMatchObject({
      name: 'StarlingError',
      status: 429,
      retryable: true,
      ...error,
    })
  })

  it('makes sense of what a proxy says', async () => {
    const busy = await serve({ status: 503, headers: { 'retry-after': '2' }, body: '<html>' })
    await expect(busy.api.me()).rejects.toMatchObject({ code: 'unavailable', status: 503, retryIn: 2_000 })
    const gone = await serve({ status: 404, body: 'null' })
    await expect(gone.api.me()).rejects.toMatchObject({ code: 'not_found', status: 404 })
    const odd = await serve({ status: 418, body: '' })
    await expect(odd.api.me()).rejects.toMatchObject({ code: 'bad_request', status: 418 })
    const broken = await serve({ status: 502, body: '' })
    await expect(broken.api.me()).rejects.toMatchObject({ code: 'unavailable', status: 502 })
    const page = await serve({ body: '<html>' })
    await expect(page.api.me()).rejects.toMatchObject({ code: 'unavailable', status: 200 })
  })

  it('says that a server can not be reached', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const api = createApi({ endpoint: `http://127.0.0.1:${port}` })
    await expect(api.me()).rejects.toMatchObject({ code: 'unavailable', status: undefined })
  })

  it('passes on why there is no token', async () => {
    const { endpoint } = await serve({})
    const api = createApi({ endpoint, getToken: () => Promise.reject(new Error('signed out')) })
    await expect(api.me()).rejects.toThrow('signed out')
  })
})
