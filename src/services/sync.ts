/**
 * Catching up: everything after the positions a client gives, in batches, and the list it starts from.
 */
import type { ConversationEntry, ServerFrameOf } from '@starling/protocol/frames'
import {
  type ConvId,
  comparePositions,
  type InboxPosition,
  laterOf,
  type MessageId,
  type Position,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import { BATCH_BYTES, BATCH_FRAMES, SYNCED_CONVS } from '@starling/protocol/limits'
import type { History } from './history.ts'
import { inboxFrame, logFrame } from './message-json.ts'
import type { ConvPort, InboxPort } from './ports.ts'

export interface SyncRequest {
  user: UserId
  /** Undefined: the inbox isn't asked for. */
  inbox: InboxPosition | undefined
  convs: ReadonlyMap<ConvId, MessageId>
  /** List these conversations alone. */
  only: boolean
}

/** Takes a batch of frames, JSON texts; resolves when the client has room for more. */
export type BatchSink = (frames: string[]) => Promise<void>

export type Synced = Omit<ServerFrameOf<'synced'>, 'op' | 'ref'>

/** Frames on their way into batches within both limits. */
class Batcher {
  readonly #sink: BatchSink
  #frames: string[] = []
  #bytes = 0

  constructor(sink: BatchSink) {
    this.#sink = sink
  }

  async add(frame: string): Promise<void> {
    const bytes = Buffer.byteLength(frame) + 1
    if (this.#frames.length === BATCH_FRAMES || this.#bytes + bytes > BATCH_BYTES) await this.flush()
    this.#frames.push(frame)
    this.#bytes += bytes
  }

  async flush(): Promise<void> {
    if (this.#frames.length === 0) return
    const frames = this.#frames
    this.#frames = []
    this.#bytes = 0
    await this.#sink(frames)
  }
}

/** @returns whether something between `position` and what is left can't be sent any more */
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

  /** Sends everything after the positions given into `sink`. @returns the `synced` that ends it */
  async run(request: SyncRequest, sink: BatchSink): Promise<Synced> {
    const batcher = new Batcher(sink)
    const inbox = await this.#inbox(request, batcher)
    const sent = new Map<ConvId, { head: MessageId; gap: boolean }>()
    for (const [conv, position] of request.convs) {
      const done = await this.#conv(request.user, conv, position, batcher)
      if (done) sent.set(conv, done)
    }
    await batcher.flush()
    const all = request.only
      ? await this.#history.entries(request.user, [...request.convs.keys()])
      : await this.#history.list(request.user)
    const convs = all.slice(0, SYNCED_CONVS).map((entry) => withSent(entry, sent.get(entry.conv as ConvId)))
    return { inbox: inbox.head, ...(inbox.gap && { gap: true }), convs }
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

  async #inbox(
    { user, inbox, only }: SyncRequest,
    batcher: Batcher,
  ): Promise<{ head: InboxPosition; gap: boolean }> {
    let after = inbox ?? (await this.#inboxes.range(user, NOWHERE, 1)).head
    // Who doesn't ask for the inbox may have a hole in it: an entry that has come since would say there is none.
    if (only) return { head: after, gap: false }
    let gap: boolean | undefined
    for (;;) {
      const { head, first, entries } = await this.#inboxes.range(user, after, BATCH_FRAMES)
      gap ??= hasGap(after, first, head)
      for (const { position, entry } of entries) await batcher.add(inboxFrame(position, entry))
      after = entries.at(-1)?.position ?? after
      if (entries.length < BATCH_FRAMES) return { head, gap }
    }
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
      for (const { id, tail } of range.entries) await batcher.add(logFrame(id, tail))
      after = range.entries.at(-1)?.id ?? after
      if (range.entries.length < BATCH_FRAMES) return { head: range.head, gap }
    }
  }
}

/** Behind every entry there can be. */
const NOWHERE = '9007199254740991-9007199254740991' as InboxPosition

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
