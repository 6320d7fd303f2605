/**
 * A session of a load generator: a socket that has logged in and been welcomed.
 */
import type { Dialect } from './dialect.ts'
import type { Login } from './login.ts'
import { LoadSocket, type OnText } from './socket.ts'

/** Connections that a generator opens at the same time. */
const OPENING_AT_ONCE = 64

export interface SessionOptions {
  dialect: Dialect
  login: Login
  onAck?: OnText
  /** A frame with one or more messages. */
  onMessage?: OnText
  /** What must not happen in a good run: an error frame, the end of the connection. */
  onFault: (fault: string) => void
}

/** Connects and logs in. @throws Error where there is no welcome */
export async function openSession(options: SessionOptions): Promise<LoadSocket> {
  const { dialect, login, onAck, onMessage, onFault } = options
  const welcome = Promise.withResolvers<void>()
  const fault = (why: string) => {
    welcome.reject(new Error(`${login.user}: ${why}`))
    onFault(`${login.user}: ${why}`)
  }
  const socket = await LoadSocket.open({
    port: login.port,
    path: dialect.path,
    subprotocol: dialect.subprotocol,
    onEnd: fault,
    onText(data, start, end, line) {
      switch (dialect.kindOf(data, start, end)) {
        case 'ack':
          return onAck?.(data, start, end, line)
        case 'message':
          return onMessage?.(data, start, end, line)
        case 'greeting':
          return line.send(dialect.login(login))
        case 'welcome':
          return welcome.resolve()
        case 'ping':
          return line.send(dialect.pong!)
        case 'error':
          return fault(data.toString('utf8', start, end))
        case 'other':
      }
    },
  })
  if (!dialect.greeted) socket.send(dialect.login(login))
  await welcome.promise
  return socket
}

/** Does something for each item, some at a time; ends with the first failure. */
export async function forEachAtOnce<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const rest = items.entries()
  const lane = async () => {
    for (const [index, item] of rest) await work(item, index)
  }
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, lane))
}
