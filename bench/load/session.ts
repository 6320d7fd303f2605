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
  /** Whether all that was missed is asked for. */
  catchesUp?: boolean
  onAck?: OnText
  /** A send of this session was refused; a fault where not given. */
  onRefusal?: OnText
  /** A frame with one or more messages. */
  onMessage?: OnText
  /** What must not happen in a good run: an error frame, the end of the connection. */
  onFault: (fault: string) => void
}

/** Connects and logs in. @throws Error where there is no welcome */
export async function openSession(options: SessionOptions): Promise<LoadSocket> {
  const { dialect, login, onAck, onRefusal, onMessage, onFault, catchesUp } = options
  const welcome = Promise.withResolvers<void>()
  const fault = (why: string) => {
    welcome.reject(new Error(`${login.user}: ${why}`))
    onFault(`${login.user}: ${why}`)
  }
  const logIn = (line: LoadSocket) => {
    for (const frame of dialect.login(login, catchesUp ?? false)) line.send(frame)
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
          return logIn(line)
        case 'welcome':
          return welcome.resolve()
        case 'ping':
          return line.send(dialect.pong!)
        case 'refusal':
          if (onRefusal) return onRefusal(data, start, end, line)
          return fault(data.toString('utf8', start, end))
        case 'error':
          return fault(data.toString('utf8', start, end))
        case 'other':
      }
    },
  })
  if (!dialect.greeted) logIn(socket)
  await welcome.promise
  return socket
}

/** Does something for each item, `atOnce` at a time; ends with the first failure. */
export async function forEachAtOnce<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
  atOnce: number = OPENING_AT_ONCE,
): Promise<void> {
  const rest = items.entries()
  const lane = async () => {
    for (const [index, item] of rest) await work(item, index)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
}
