/**
 * A chat on Socket.IO and its Redis adapter, tuned as its documentation advises: WebSockets alone, no compression, the
 * native masking, the request let go. One room for each user, one for each group. DURABLE=1 stores before the ack,
 * ENGINE=uws puts Socket.IO on uWebSockets.js.
 */

import { App } from 'uWebSockets.js'
import { createServer } from 'node:http'
import { createAdapter } from '@socket.io/redis-adapter'
import { Server, type Socket } from 'socket.io'
import { connectRedis, type Message, missed, nextId, store } from '../shared/chat-store.ts'
import { verify } from '../shared/token.ts'

interface Send {
  to: string
  ref: string
  body: unknown
}
type Ack = (answer: { id: string; ref: string }) => void

const port = Number(process.env['PORT'])
const isDurable = process.env['DURABLE'] === '1'
const url = process.env['REDIS_URL']!
const [pub, sub, redis] = await Promise.all([connectRedis(url), connectRedis(url), connectRedis(url)])

const io = new Server({
  adapter: createAdapter(pub, sub),
  transports: ['websocket'],
  serveClient: false,
})
io.engine?.on('connection', letRequestGo)
io.use((socket, next) => {
  try {
    socket.data = verify(String(socket.handshake.auth['token']))
    next()
  } catch {
    next(new Error('unauthorized'))
  }
})
io.on('connection', (socket) => {
  const { sub: user, groups = [] } = socket.data
  void socket.join([`user:${user}`, ...groups])
  socket.on('send', (send: Send, ack: Ack) => void take(socket, send, ack))
  const { since } = socket.handshake.auth
  if (since !== undefined) void catchUp(socket, String(since))
})

async function take(socket: Socket, { to, ref, body }: Send, ack: Ack): Promise<void> {
  const message: Message = { to, from: socket.data.sub, id: nextId(), ref, body }
  if (isDurable) {
    const { id, isNew } = await store(redis, message)
    if (isNew) io.to(to).emit('message', message)
    ack({ id, ref })
  } else {
    io.to(to).emit('message', message)
    ack({ id: message.id, ref })
  }
}

async function catchUp(socket: Socket, since: string): Promise<void> {
  for await (const page of missed(redis, `inbox:user:${socket.data.sub}`, since)) {
    socket.emit(
      'messages',
      page.map((json) => JSON.parse(json)),
    )
  }
}

function letRequestGo(rawSocket: { request: unknown }): void {
  rawSocket.request = null
}

if (process.env['ENGINE'] === 'uws') {
  const app = App()
  app.get('/readyz', (response) => void response.end())
  io.attachApp(app)
  io.engine.on('connection', letRequestGo)
  app.listen('127.0.0.1', port, (listening) => {
    if (!listening) process.exit(1)
  })
} else {
  const server = createServer((_request, response) => response.end())
  io.attach(server)
  io.engine.on('connection', letRequestGo)
  server.listen({ host: '127.0.0.1', port, backlog: 4096 })
}
