/**
 * Catching up: everything after the positions a client gives, in batches, and the list it starts from.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { ConversationEntry, ServerFrameOf } from '@starling/protocol/frames'
import {
  type ConvId,
  comparePositions,
  type DeviceId,
  type InboxPosition,
  laterOf,
  type MessageId,
  ORIGIN,
  type Position,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import { BATCH_BYTES, BATCH_FRAMES, SYNCED_CONVS } from '@starling/protocol/limits'
import type { History } from './history.ts'
import { inboxFrame, logFrame } from './message-json.ts'
import type { Books, ConvPort, InboxPort, InboxRange } from './ports.ts'

/** Entries of an inbox that are read at once: few round trips for who was away, little to hold for one who reads slowly. */
const INBOX_PAGE = 250

/** How a sync of the inbox begins: its first entries, and the user's books, in one round trip. */
export interface SyncStart {
  from: InboxPosition
  range: InboxRange
  /** There is more behind the first entries. */
  isPart: boolean
  books: Books
}

export interface SyncRequest {
  user: UserId
  /** Undefined: the inbox isn't asked for, and `convs` alone are listed. */
  start: SyncStart | undefined
  convs: ReadonlyMap<ConvId, MessageId>
}

/** Takes a batch of frames, JSON with commas between them; resolves when it has been sent. */
export type BatchSink = (frames: string) => Promise<void>

export type Synced = Omit<ServerFrameOf<'synced'>, 'op' | 'ref'>

/** Frames on their way into batches within both limits. */
class Batcher {
  readonly #sink: BatchSink
  #frames: string[] = []
  #bytes = 0

  constructor(sink: BatchSink) {
    this.#sink = sink
  }

  async add(frames: Iterable<string>): Promise<void> {
    for (const frame of frames) {
      const bytes = Buffer.byteLength(frame) + 1
      if (this.#frames.length === BATCH_FRAMES || this.#bytes + bytes > BATCH_BYTES) await this.flush()
      this.#frames.push(frame)
      this.#bytes += bytes
    }
  }

  async flush(): Promise<void> {
    if (this.#frames.length === 0) return
    const frames = this.#frames.join(',')
    this.#frames = []
    this.#bytes = 0
    await this.#sink(frames)
  }
}

/**
 * @param first the oldest entry that is left, or of those behind the position
 * @returns whether something between `position` and what is left can't be sent any more
 */
export function hasGap(position: Position, first: Position | undefined, head: Position): boolean {
  if (seqOf(position) > seqOf(head)) return true // unknown: never given out, or lost in a failover
  if (first === undefined) return seqOf(head) > seqOf(position)
  return seqOf(first) > seqOf(position) + 1
}

export class Sync {
  readonly #convs: ConvPort
  readonly #inboxes: InboxPort
  readonly #history: History

  constructor(deps: { convs: ConvPort; inboxes: InboxPort; history: History }) {
    this.#convs = deps.convs
    this.#inboxes = deps.inboxes
    this.#history = deps.history
  }

  /** Begins a sync of the inbox, from behind a position, or where none is given from where the device is. */
  async start(user: UserId, device: DeviceId, position: InboxPosition | undefined): Promise<SyncStart> {
    const from =
      position ?? (await this.#inboxes.devicePosition(user, device)) ?? (await this.#inboxes.head(user))
    const { range, books } = await this.#inboxes.catchUp(user, from, INBOX_PAGE)
    return { from, range, isPart: range.entries.length === INBOX_PAGE, books }
  }

  /** Sends everything after the positions given into `sink`. @returns the `synced` that ends it */
  async run({ user, start, convs }: SyncRequest, sink: BatchSink): Promise<Synced> {
    const batcher = new Batcher(sink)
    const { head, gap, books } = start
      ? await this.#inbox(user, start, batcher)
      : await this.#withoutInbox(user)
    const sent = new Map<ConvId, { head: MessageId; gap: boolean }>()
    for (const [conv, position] of convs) {
      const done = await this.#conv(user, conv, position, batcher)
      if (done) sent.set(conv, done)
    }
    await batcher.flush()
    const all = start
      ? await this.#history.list(user, books)
      : await this.#history.entries(user, [...convs.keys()], books.reads)
    return {
      inbox: head,
      ...(gap && { gap: true }),
      convs: all.slice(0, SYNCED_CONVS).map((entry) => withSent(entry, sent.get(entry.conv as ConvId))),
    }
  }

  /**
   * What a new member of a group has not been told live, as frames.
   * @returns nothing, with `since` as the head, where there is more than one batch: a sync has to bring it
   */
  async missed(user: UserId, conv: ConvId, since: MessageId): Promise<{ frames: string[]; head: MessageId }> {
    const range = await this.#convs.range(conv, user, {
      order: 'forward',
      low: `(${since}`,
      high: '+',
      count: BATCH_FRAMES,
    })
    if (range.is !== 'ok' || range.entries.length === BATCH_FRAMES) return { frames: [], head: since }
    return { frames: range.entries.map(({ id, tail }) => logFrame(id, tail)), head: range.head }
  }

  async #inbox(user: UserId, { from, range, isPart, books }: SyncStart, batcher: Batcher) {
    let [after, head, entries, isFull, gap] = [from, range.head, range.entries, isPart, false]
    for (;;) {
      // In a later page, too: what is over may be cut off while a client reads slowly.
      gap ||= await this.#hasGap(user, after, entries[0]?.position, head)
      const last = entries.at(-1)?.position
      if (last !== undefined) [after, head] = [last, laterOf(head, last)]
      // One page ahead of what the client has room for.
      const next = isFull ? this.#inboxes.entries(user, after, INBOX_PAGE) : undefined
      next?.catch(() => {}) // it may fail while this one is being sent; it is heard of below
      // Commands go out at the end of a turn: Redis shall read the next page while this one is put together.
      if (next) await turn()
      await batcher.add(entries.map(({ position, id, tail }) => inboxFrame(position, id, tail)))
      await batcher.flush()
      if (!next) break
      entries = await next
      isFull = entries.length === INBOX_PAGE
    }
    // The list is not older than what was sent.
    return { head, gap, books: isPart ? await this.#inboxes.books(user) : books }
  }

  /** A position that is no entry's counts as the last entry before it, which is looked for only where it matters. */
  async #hasGap(
    user: UserId,
    after: InboxPosition,
    first: InboxPosition | undefined,
    head: InboxPosition,
  ): Promise<boolean> {
    if (!hasGap(after, first, head)) return false
    if (seqOf(after) > seqOf(head)) return true
    return hasGap((await this.#inboxes.lastUpTo(user, after)) ?? ORIGIN, first, head)
  }

  /** Who doesn't ask for the inbox may have a hole in it: an entry that has come since would say there is none. */
  async #withoutInbox(user: UserId) {
    const [head, books] = await Promise.all([this.#inboxes.head(user), this.#inboxes.books(user)])
    return { head, books, gap: false }
  }

  /** @returns undefined for a conversation that one may not read now */
  async #conv(user: UserId, conv: ConvId, position: MessageId, batcher: Batcher) {
    if (!this.#history.mayKnow(user, conv)) return undefined
    let after = position
    let gap: boolean | undefined
    for (;;) {
      const range = await this.#convs.range(conv, user, {
        order: 'forward',
        low: `(${after}`,
        high: '+',
        count: BATCH_FRAMES,
      })
      if (range.is !== 'ok') return undefined
      gap ??= hasGap(after, range.first && laterOf(range.first, range.floor), range.head)
      await batcher.add(range.entries.map(({ id, tail }) => logFrame(id, tail)))
      after = range.entries.at(-1)?.id ?? after
      if (range.entries.length < BATCH_FRAMES) return { head: range.head, gap }
    }
  }
}

/** A list is read after the messages were: its head must not promise more than was sent. */
function withSent(
  entry: ConversationEntry,
  sent: { head: MessageId; gap: boolean } | undefined,
): ConversationEntry {
  if (!sent) return entry
  const later = comparePositions(entry.head, sent.head) > 0
  return {
    ...entry,
    ...(later && {
      head: sent.head,
      unread: Math.max(0, entry.unread - (seqOf(entry.head) - seqOf(sent.head))),
    }),
    ...(sent.gap && { gap: true }),
  }
}
