/**
 * A session of a load generator: a socket that has had its welcome.
 */
import { helloFrame, kindOf } from './frames.ts'
import type { Login } from './login.ts'
import { LoadSocket, type OnText } from './socket.ts'

/** Connections that a generator opens at the same time. */
const OPENING_AT_ONCE = 64

export interface SessionOptions {
  login: Login
  /** Acks, messages and all that comes after the welcome; errors excepted. */
  onText: OnText
  /** What must not happen in a good run: an error frame, the end of the connection. */
  onFault: (fault: string) => void
}

/** Connects and says hello. @throws Error where there is no welcome */
export async function openSession({ login, onText, onFault }: SessionOptions): Promise<LoadSocket> {
  const welcome = Promise.withResolvers<void>()
  const fault = (why: string) => {
    welcome.reject(new Error(`${login.user}: ${why}`))
    onFault(`${login.user}: ${why}`)
  }
  const socket = await LoadSocket.open({
    port: login.port,
    path: '/ws',
    subprotocol: 'starling.v1',
    onEnd: fault,
    onText: (data, start, end) => {
      const kind = kindOf(data, start)
      if (kind === 'welcome') welcome.resolve()
      else if (kind === 'error') fault(data.toString('utf8', start, end))
      else onText(data, start, end)
    },
  })
  socket.send(helloFrame(login.user, login.token))
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
