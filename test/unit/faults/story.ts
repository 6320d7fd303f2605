/**
 * Tells histories for the checker's own tests: a small healthy one, in which every line can be changed.
 */
import type { History, HistoryRecord, Seen, Way } from '../../faults/history.ts'

type Untimed<R> = R extends unknown ? Omit<R, 'at'> : never
type Line = Untimed<HistoryRecord> & { at?: number }

export const DM = 'dm:alice:bob'
export const GROUP = 'group:eng'
/** Time between two records where none is given, ms. */
const STEP_MS = 10

export const said = (conv: string, id: string, from: string, ref: string, text = ref): Seen => ({
  conv,
  id,
  from,
  ref,
  body: { type: 'text', text },
})

export const happened = (id: string, event: 'member_joined' | 'member_removed', user: string): Seen => ({
  conv: GROUP,
  id,
  from: 'alice',
  body: { type: 'event', event, users: [user], by: 'alice' },
})

/** A history in the making; its lines keep their order, ids of clients are `<user>/<device>`. */
export class Story {
  lines: Line[] = []
  logs = new Map<string, Seen[]>()
  raw = new Set<string>()
  watched: string[] = []
  online = new Set<string>()
  members = new Map<string, string[]>([[GROUP, ['alice', 'bob', 'carol']]])
  troubles: { from: number; until: number }[] = []
  readonly #clients: string[]

  constructor(...clients: string[]) {
    this.#clients = clients
    for (const client of clients) this.add({ is: 'up', client, node: 'gw-1' })
  }

  add(line: Line): this {
    this.lines.push(line)
    return this
  }

  /** Sends, acks, stores and shows a message to all these. */
  message(message: Seen, to: string[], sender = this.#clientOf(message.from)): this {
    this.submit(message, sender).send(message, sender).ack(message, sender).store(message)
    for (const client of to) this.shows(client, message)
    return this
  }

  submit({ conv, ref = '', body }: Seen, client: string): this {
    if (this.raw.has(client)) return this
    return this.add({ is: 'submit', client, conv, ref, text: textOf(body) })
  }

  send({ conv, ref = '', body }: Seen, client: string, line = 1): this {
    return this.add({ is: 'send', client, line, conv, ref, text: textOf(body) })
  }

  ack({ conv, ref = '', id }: Seen, client: string, line = 1, dup = false): this {
    return this.add({ is: 'ack', client, line, conv, ref, id, dup })
  }

  error({ ref = '' }: Seen, client: string, code: string, line = 1): this {
    return this.add({ is: 'error', client, line, ref, code })
  }

  store(message: Seen): this {
    const log = this.logs.get(message.conv)
    if (log) log.push(message)
    else this.logs.set(message.conv, [message])
    return this
  }

  shows(client: string, message: Seen, way: Way = this.raw.has(client) ? 'live' : 'shown'): this {
    return this.add({ is: 'message', client, line: 1, way, message })
  }

  told(client: string, on: string[], off: string[], at?: number): this {
    return this.add({ is: 'presence', client, on, off, ...(at !== undefined && { at }) })
  }

  history(endedAt?: number): History {
    let now = 0
    const records = this.lines.map((line) => {
      now = line.at ?? now + STEP_MS
      return { ...line, at: now } as HistoryRecord
    })
    return {
      clients: this.#clients.map((id) => ({
        id,
        user: id.split('/')[0]!,
        kind: this.raw.has(id) ? ('raw' as const) : ('sdk' as const),
      })),
      records,
      logs: this.logs,
      heads: new Map(),
      members: this.members,
      troubles: this.troubles,
      watched: this.watched,
      online: this.online,
      endedAt: endedAt ?? now,
    }
  }

  #clientOf(user: string): string {
    return this.#clients.find((client) => client.startsWith(`${user}/`)) ?? `${user}/1`
  }
}

const textOf = (body: Seen['body']) => (body.type === 'text' ? body.text : '')
