/** A user with the SDK, as an application would use it, who remembers what came and what became of the line. */

import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { type Ack, type Client, type ConnectionState, createClient, type Message } from '@starling/client'

/** How long a person waits for what has to come, ms. */
const PATIENCE_MS = 60_000

export class Person {
  readonly id: string
  readonly client: Client
  /** Every message's id, by conversation and id, once each. */
  readonly heard = new Map<string, Message>()
  /** States after the first `live`, with the time they began at, ms of performance.now(). */
  readonly states: { state: ConnectionState; at: number }[] = []
  /** Who has been told to be online or offline, in order. */
  readonly presence: { user: string; on: boolean }[] = []
  readonly #news = new EventEmitter().setMaxListeners(0)

  constructor(id: string, front: string, token: () => string) {
    this.id = id
    this.client = createClient({
      endpoints: [front],
      device: randomUUID(),
      getToken: () => Promise.resolve(token()),
    })
    this.client.on('message', (message) => {
      this.heard.set(`${message.conv} ${message.id}`, message)
      this.#news.emit('news')
    })
    this.client.on('state', ({ to }) => {
      this.states.push({ state: to, at: performance.now() })
      this.#news.emit('news')
    })
    this.client.on('presence', ({ on, off }) => {
      this.presence.push(
        ...on.map((user) => ({ user, on: true })),
        ...off.map((user) => ({ user, on: false })),
      )
      this.#news.emit('news')
    })
    this.client.connect()
  }

  get target(): string {
    return `user:${this.id}`
  }

  /** The gateway of the newest session. */
  get node(): string {
    return this.client.welcome?.node ?? ''
  }

  send(to: string, text: string): Promise<Ack> {
    return this.client.send({ to, body: { type: 'text', text } })
  }

  /** Waits until something has come about; told of everything that happens here, it looks at nothing else. */
  async sees(what: string, holds: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    while (!holds()) {
      await once(this.#news, 'news', { signal }).catch(() => {
        throw new Error(`${this.id} never saw ${what}; the line is ${this.client.state}`)
      })
    }
  }

  hears({ conv, id }: { conv: string; id: string }): Promise<void> {
    return this.sees(`${conv} ${id}`, () => this.heard.has(`${conv} ${id}`))
  }

  live(): Promise<void> {
    return this.sees('a live line', () => this.client.state === 'live')
  }

  /** From now on only what happens after now is remembered of the line and of others' presence. */
  forgetThePast(): void {
    this.states.length = 0
    this.presence.length = 0
  }

  leave(): Promise<void> {
    return this.client.close()
  }
}
