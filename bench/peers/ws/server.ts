/**
 * A chat on plain `ws` and Redis pub/sub, the tutorials' way: a channel for each user and group, to which a node
 * subscribes while it has one of theirs. DURABLE=1 stores before the ack.
 */
import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { connectRedis, type Message, missed, nextId, store } from '../shared/chat-store.ts'
import { verify } from '../shared/token.ts'

type Frame =
  | { type: 'login'; token: string; since?: string }
  | { type: 'send'; to: string; ref: string; body: unknown }

const isDurable = process.env['DURABLE'] === '1'
const url = process.env['REDIS_URL']!
const [sub, redis] = await Promise.all([connectRedis(url), connectRedis(url)])
/** channel → who of this node hears it */
const rooms = new Map<string, Set<WebSocket>>()

const server = createServer((_request, response) => response.end())
new WebSocketServer({ server }).on('connection', (socket) => {
  let user = ''
  let joined: string[] = []
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Frame
    switch (frame.type) {
      case 'login':
        return void enter(frame)
      case 'send':
        return void take(socket, user, frame)
    }
  })
  socket.on('close', () => {
    for (const room of joined) leave(room, socket)
  })

  async function enter({ token, since }: Frame & { type: 'login' }): Promise<void> {
    const claims = verify(token)
    user = claims.sub
    joined = [`user:${user}`, ...(claims.groups ?? [])]
    await Promise.all(joined.map((room) => join(room, socket)))
    socket.send(JSON.stringify({ type: 'welcome', user }))
    if (since !== undefined) await catchUp(socket, user, since)
  }
})
server.listen({ host: '127.0.0.1', port: Number(process.env['PORT']), backlog: 4096 })

async function join(room: string, socket: WebSocket): Promise<void> {
  const members = rooms.get(room)
  if (members) {
    members.add(socket)
    return
  }
  rooms.set(room, new Set([socket]))
  await sub.subscribe(room, (message) => {
    for (const member of rooms.get(room) ?? []) member.send(message)
  })
}

function leave(room: string, socket: WebSocket): void {
  const members = rooms.get(room)
  members?.delete(socket)
  if (members?.size !== 0) return
  rooms.delete(room)
  void sub.unsubscribe(room)
}

async function take(
  socket: WebSocket,
  from: string,
  { to, ref, body }: Frame & { type: 'send' },
): Promise<void> {
  const message: Message = { to, from, id: nextId(), ref, body }
  const stored = isDurable ? await store(redis, message) : { id: message.id, isNew: true }
  if (stored.isNew) void redis.publish(to, JSON.stringify({ type: 'message', ...message }))
  socket.send(JSON.stringify({ type: 'ack', ref, id: stored.id }))
}

async function catchUp(socket: WebSocket, user: string, since: string): Promise<void> {
  for await (const page of missed(redis, `inbox:user:${user}`, since)) {
    socket.send(`{"type":"messages","messages":[${page.join(',')}]}`)
  }
}
