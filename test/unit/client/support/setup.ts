/**
 * A client on a memory gateway, with a clock that is turned by hand, and a record of what it emits.
 */
import { onTestFinished } from 'vitest'
import {
  type ClientEvent,
  type ClientEvents,
  type ClientOptions,
  createClient,
  type MessageFrame,
  type Saved,
} from '../../../../client/src/index.ts'
import { ManualClock } from './manual-clock.ts'
import { MemoryGateway } from './memory-gateway.ts'

export function setup(options: Partial<ClientOptions> = {}) {
  const clock = new ManualClock()
  const gateway = new MemoryGateway()
  const client = createClient({
    endpoints: ['ws://gw-1:8080'],
    device: 'laptop',
    getToken: async () => 'token',
    WebSocket: gateway.WebSocket,
    clock,
    random: () => 0.5,
    ...options,
  })
  onTestFinished(() => void client.close())

  /** Everything of this event from now on. */
  const record = <Event extends ClientEvent>(event: Event): ClientEvents[Event][] => {
    const seen: ClientEvents[Event][] = []
    client.on(event, (payload) => seen.push(payload))
    return seen
  }
  return { client, gateway, clock, record }
}

/** A JWT of alice's, of this end, in s. */
export const jwt = (exp: number) => `e30.${btoa(JSON.stringify({ sub: 'alice', exp }))}.sig`

/** A storage that keeps what one run has saved for the next. */
export function keeping() {
  let kept: Saved | undefined
  return {
    load: () => kept,
    save(now: Saved) {
      kept = structuredClone(now)
    },
  }
}

/** A message of bob's, whose seq is its text. */
export const message = (conv: string, id: string, more: object = {}) => ({
  op: 'message',
  conv,
  id,
  from: 'bob',
  body: { type: 'text', text: id },
  ...more,
})

export const listed = (conv: string, head: string, more: object = {}) => ({
  conv,
  head,
  read: '0-0',
  unread: 0,
  ...more,
})

export const ids = (messages: MessageFrame[]) => messages.map(({ id }) => id)
