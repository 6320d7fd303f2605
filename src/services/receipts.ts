/**
 * Positions that people see: read and received, unread marks on one's other devices, receipts to the other side
 * of a dm. Receipts are merged, so that reading fast costs the other side little.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { ServerFrameOf } from '@starling/protocol/frames'
import {
  type ConvId,
  comparePositions,
  type DeviceId,
  dmOf,
  type InboxPosition,
  laterOf,
  type MessageId,
  parseConv,
  peerIn,
  type SessionId,
  SYSTEM,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import { RECEIPT_MERGE_MS } from '@starling/protocol/limits'
import type { Log } from '../lib/log.ts'
import type { History } from './history.ts'
import { tailHead } from './message-json.ts'
import type { ConvPort, InboxPort } from './ports.ts'

type Receipt = Omit<ServerFrameOf<'receipt'>, 'op'>

export class Receipts {
  readonly #convs: ConvPort
  readonly #inboxes: InboxPort
  readonly #history: History
  readonly #log: Log
  /** What the other side has not been told yet, by reader and conversation. */
  readonly #waiting = new Map<string, { to: UserId; receipt: Receipt }>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: { convs: ConvPort; inboxes: InboxPort; history: History; log: Log }) {
    this.#convs = deps.convs
    this.#inboxes = deps.inboxes
    this.#history = deps.history
    this.#log = deps.log
  }

  /** Moves a read position forward; the user's other sessions learn of it, and in a dm the other user. */
  async read(
    user: UserId,
    session: SessionId,
    conv: ConvId,
    id: MessageId,
  ): Promise<{ read: MessageId; unread: number }> {
    const parsed = parseConv(conv)
    if (!parsed || !this.#history.mayKnow(user, conv))
      throw new ProtocolError('not_found', 'no such conversation')
    const done =
      parsed.kind === 'channel'
        ? await this.#readChannel(user, conv, id)
        : await this.#advance(user, conv, id)
    const unread = Math.max(0, seqOf(done.head) - seqOf(done.position))
    if (done.moved) {
      const frame = { op: 'unread', conv, read: done.position, unread } satisfies ServerFrameOf<'unread'>
      await this.#inboxes.tell(user, JSON.stringify(frame), session)
      if (parsed.kind === 'dm')
        this.#note(user, peerIn(parsed.users, user), { conv, user, read: done.position })
    }
    return { read: done.position, unread }
  }

  /** Notes up to where a device has its inbox safe. */
  async received(user: UserId, device: DeviceId, position: InboxPosition): Promise<void> {
    const { covered } = await this.#inboxes.received(user, device, position)
    const latest = new Map<ConvId, { from: UserId; id: MessageId }>()
    for (const { id, tail } of covered) {
      const head = tailHead(tail)
      if (!head?.conv.startsWith('dm:') || head.from === user) continue
      const conv = head.conv as ConvId
      const known = latest.get(conv)
      latest.set(conv, { from: head.from as UserId, id: known ? laterOf(known.id, id) : id })
    }
    await Promise.all(
      [...latest].map(async ([conv, { from, id }]) => {
        const done = await this.#convs.advance(conv, user, 'recv', id)
        if (done.is === 'moved') this.#note(user, from, { conv, user, received: done.position })
      }),
    )
  }

  /** Sends what waits. */
  async close(): Promise<void> {
    await this.#flush()
  }

  async #advance(user: UserId, conv: ConvId, id: MessageId) {
    const done = await this.#convs.advance(conv, user, 'read', id)
    switch (done.is) {
      case 'not_found':
        throw new ProtocolError('not_found', 'no such group')
      case 'not_member':
        throw new ProtocolError('not_member', 'you are not a member of this group')
      case 'moved':
      case 'stale':
        return { moved: done.is === 'moved', position: done.position, head: done.head }
    }
  }

  async #readChannel(user: UserId, conv: ConvId, id: MessageId) {
    const view = await this.#convs.view(conv, user)
    if (view.is !== 'ok') throw new ProtocolError('not_found', 'no such channel')
    const clamped = comparePositions(id, view.head) > 0 ? view.head : id
    return { head: view.head, ...(await this.#inboxes.readChannel(user, conv, clamped, false)) }
  }

  #note(user: UserId, to: UserId, receipt: Receipt): void {
    if (to === user || to === SYSTEM) return
    const key = `${user} ${dmOf(user, to)}`
    this.#waiting.set(key, { to, receipt: { ...this.#waiting.get(key)?.receipt, ...receipt } })
    this.#timer ??= setTimeout(() => void this.#flush(), RECEIPT_MERGE_MS)
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    const sends = waiting.map(({ to, receipt }) =>
      this.#inboxes.tell(to, JSON.stringify({ op: 'receipt', ...receipt })),
    )
    for (const done of await Promise.allSettled(sends)) {
      // Positions are stored; one who misses the frame sees them in the next list.
      if (done.status === 'rejected') this.#log.debug({ err: done.reason }, 'receipts: not told')
    }
  }
}
