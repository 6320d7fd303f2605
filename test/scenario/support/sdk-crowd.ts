/**
 * People who talk through the SDK as applications do, and a record of what it showed them: so that after any misfortune
 * it can be said whether all of it came, once and in order.
 */
import { type Client, createApi, createClient, type MessageFrame } from '@starling/client'
import { expect } from 'vitest'
import type { World } from '../../support/harness.ts'
import { until } from '../../support/harness.ts'

/** What was sent: the sender's count of messages to this target stands in the text. */
interface Sent {
  ref: string
  from: string
  conv: string
  id: string
}

interface Logged {
  id: string
  from: string
  ref?: string
  body: { type: string; text?: string }
}

/** How fast each of them talks, ms from one message to the next. */
const PACE_MS = 40

export class Person {
  readonly id: string
  readonly client: Client
  /** What the SDK showed, by conversation, in the order it did. */
  readonly shown = new Map<string, MessageFrame[]>()
  /** What the SDK could not bring by itself. */
  readonly reloads: (string[] | 'all')[] = []
  readonly errors: unknown[] = []
  /** How sessions ended; lines that never became one are left out. */
  readonly closes: number[] = []
  readonly acked: Sent[] = []

  constructor(world: World, name: string) {
    const user = world.user(name)
    this.id = user.id
    this.client = createClient({
      endpoints: world.cluster.nodes.map(({ url }) => url),
      device: 'laptop',
      getToken: async () => user.token(),
    })
    this.client.on('message', (message) => {
      const list = this.shown.get(message.conv)
      if (list) list.push(message)
      else this.shown.set(message.conv, [message])
    })
    this.client.on('reload', ({ convs }) => this.reloads.push(convs))
    this.client.on('error', (error) => this.errors.push(error))
    let isWelcome = false
    this.client.on('welcome', () => {
      isWelcome = true
    })
    this.client.on('close', ({ code }) => {
      if (isWelcome) this.closes.push(code)
      isWelcome = false
    })
  }

  /** Connects and waits until what it shows is live. What was before is not of interest. */
  async arrive(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const off = this.client.on('state', ({ to }) => {
      if (to === 'live') resolve()
    })
    this.client.connect()
    await promise
    off()
    this.reloads.length = 0
  }

  /** Says something to one target after the other, at an even pace, until `end`. Resolves when all of it is acked. */
  async talk(targets: readonly string[], end: AbortSignal): Promise<void> {
    const sends: Promise<void>[] = []
    for (let n = 0; !end.aborted; n++) {
      const to = targets[n % targets.length]!
      const sending = this.client.send({ to, body: { type: 'text', text: String(n) } })
      sends.push(sending.then(({ ref, conv, id }) => void this.acked.push({ ref, conv, id, from: this.id })))
      await new Promise((resolve) => setTimeout(resolve, PACE_MS))
    }
    await Promise.all(sends)
  }
}

/** The whole log of a conversation, as HTTP has it. */
async function logOf(world: World, person: Person, conv: string): Promise<Logged[]> {
  const user = world.userCalled(person.id)
  const node = world.cluster.nodes[0]!
  const api = createApi({ endpoint: node.url, getToken: () => user.token() })
  const all: Logged[] = []
  for (;;) {
    const { messages, more } = await api.messages(conv, { after: all.at(-1)?.id ?? '0-0', limit: 100 })
    all.push(...(messages as Logged[]))
    if (!more) return all
  }
}

const compareIds = (a: string, b: string) => {
  const [aMs, aSeq] = a.split('-').map(Number) as [number, number]
  const [bMs, bSeq] = b.split('-').map(Number) as [number, number]
  return aMs - bMs || aSeq - bSeq
}

/** Texts of each sender, in the order of the list: what one says to one place is counted up. */
function isCountedUp(messages: readonly { from: string; body: unknown }[]): boolean {
  const last = new Map<string, number>()
  return messages.every(({ from, body }) => {
    const n = Number((body as { text?: string }).text)
    const before = last.get(from) ?? -1
    last.set(from, n)
    return n > before
  })
}

/**
 * Holds what everybody was shown to what the logs have: all of it, once, in order; and what was acked to be there.
 * @param concerned who has to be shown a conversation
 */
export async function expectAllShown(
  world: World,
  people: readonly Person[],
  concerned: ReadonlyMap<string, readonly Person[]>,
): Promise<void> {
  const acked = people.flatMap((person) => person.acked)
  for (const [conv, members] of concerned) {
    const log = (await logOf(world, members[0]!, conv)).filter(({ body }) => body.type === 'text')
    const ids = log.map(({ id }) => id)
    const stored = acked.filter((sent) => sent.conv === conv)
    // [P1] [P2]: each acked one is there, under the id of its ack, and nothing is there twice.
    expect(log.map(({ from, ref, id }) => `${from} ${ref} ${id}`).toSorted()).toEqual(
      stored.map(({ from, ref, id }) => `${from} ${ref} ${id}`).toSorted(),
    )
    expect(isCountedUp(log), `[P3] ${conv} is stored in the order sent`).toBe(true)
    for (const person of members) {
      const texts = () => (person.shown.get(conv) ?? []).filter(({ body }) => body.type === 'text')
      const isComplete = async () => texts().length >= ids.length
      await until(isComplete, 20_000, `${person.id} is shown all of ${conv}`).catch(() => {})
      const shown = texts().map(({ id }) => id)
      expect(shown.toSorted(compareIds), `${person.id} is shown all of ${conv}, once`).toEqual(ids)
      // A dm comes in the order of the inbox: that of each sender, in which both sides' may interleave.
      if (!conv.startsWith('dm:')) expect(shown, `[P3] ${conv} is shown in order`).toEqual(ids)
      expect(isCountedUp(texts()), `[P3] ${conv} is shown in the order sent`).toBe(true)
    }
  }
}
