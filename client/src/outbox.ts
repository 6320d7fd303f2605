/**
 * What the user has sent and the server has not acked: kept over reconnects, tried again with its ref.
 * One message per conversation is under way at a time. So whatever happens to it (a refusal for a while, a lost
 * line), nothing of the same conversation can overtake it; conversations don't wait for each other.
 */
import type { ServerFrameOf, UserBody } from '@starling/protocol/frames'
import { isRef } from '@starling/protocol/ids'
import { MAX_FRAME_BYTES, REF_TTL_MS } from '@starling/protocol/limits'
import type { Clock, Timer } from './clock.ts'
import { StarlingError } from './errors.ts'
import { exceeds, isTooDeep } from './frame-size.ts'
import { backoffMs } from './reconnect.ts'
import type { Refs } from './refs.ts'
import type { SavedDraft } from './storage.ts'
import type { Ack, ClientEvents, Draft, OutboxItem, OutboxStatus } from './types.ts'

interface Entry extends OutboxItem {
  readonly body: UserBody
  status: OutboxStatus
  /** The frame, but for `retry`. */
  readonly text: string
  /** It may have been stored: only its ref can tell. */
  unsure: boolean
  readonly queuedAt: number
  refusals: number
  /** The log has shown it before the ack did. */
  seen: boolean
  readonly resolve: (ack: Ack) => void
  readonly reject: (error: StarlingError) => void
  readonly acked: Promise<Ack>
}

/** The messages to one conversation; the first is the one under way. */
interface Lane {
  queue: Entry[]
  /** Runs while the server has asked for patience. */
  hold: Timer | undefined
}

/**
 * What has waited for so long may have been stored by another run, which has found it in the storage: refs are remembered for
 * twice that, ms.
 */
const LONG_MS = REF_TTL_MS / 2

export interface OutboxOptions {
  clock: Clock
  random: () => number
  refs: Refs
  changed: (event: ClientEvents['outbox']) => void
}

export class Outbox {
  readonly #options: OutboxOptions
  #entries = new Map<string, Entry>()
  readonly #lanes = new Map<string, Lane>()
  /** Acked, and not shown yet: where no inbox has them, the next run learns of them by sending them again. */
  readonly #unshown = new Map<string, SavedDraft>()
  #say: ((text: string) => void) | undefined
  #frameLimit = MAX_FRAME_BYTES
  #ended = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** In the order sent. */
  list(): OutboxItem[] {
    return [...this.#entries.values()].map(itemOf)
  }

  /** The same ref to the same target again is the same message. */
  send(draft: Draft): Promise<Ack> {
    const ref = draft.ref ?? this.#options.refs()
    try {
      const known = this.#entries.get(ref)
      if (known !== undefined) {
        if (known.to === draft.to) return known.acked
        throw new StarlingError('conflict', 'this ref is under way to another target', { field: 'ref' })
      }
      if (this.#ended) throw new StarlingError('closed', 'the client is closed')
      const entry = entryOf({ ...draft, ref }, this.#options.clock.now())
      this.#entries.set(ref, entry)
      this.#enqueue(entry)
      this.#options.changed({ ref, status: 'queued' })
      this.#pump(entry.to)
      return entry.acked
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Puts what an earlier run has left before everything else, whether the application has sent it again or not; nobody knows
   * whether it was sent.
   */
  restore(saved: readonly SavedDraft[]): void {
    const present = this.#entries
    this.#entries = new Map()
    for (const draft of saved) {
      try {
        const known = this.#entries.get(draft.ref) ?? present.get(draft.ref)
        const entry = known ?? entryOf(draft, this.#options.clock.now())
        entry.unsure = true
        if (draft.seen === true) entry.seen = true
        this.#entries.set(draft.ref, entry)
      } catch {
        // Not what was saved; there is nobody to tell.
      }
    }
    for (const entry of present.values()) this.#entries.set(entry.ref, entry)
    for (const lane of this.#lanes.values()) lane.queue = []
    for (const entry of this.#entries.values()) this.#enqueue(entry)
  }

  saved(): SavedDraft[] {
    return [...this.#unshown.values(), ...[...this.#entries.values()].map(draftOf)]
  }

  /** A session has begun: everything goes on, in the old order. */
  up(say: (text: string) => void, frameLimit: number): void {
    this.#say = say
    this.#frameLimit = frameLimit
    for (const to of [...this.#lanes.keys()]) this.#pump(to)
  }

  /** The line has ended: what was under way may have been stored. */
  down(): void {
    this.#say = undefined
    for (const entry of this.#entries.values()) {
      if (entry.status !== 'sent') continue
      entry.unsure = true
      this.#setStatus(entry, 'queued')
    }
  }

  /** The message was shown; its frame can come before the ack. */
  seen(ref: string): void {
    this.#unshown.delete(ref)
    const entry = this.#entries.get(ref)
    if (entry !== undefined) entry.seen = true
  }

  /** @returns the message, and whether it was shown before */
  acked(ack: ServerFrameOf<'ack'>): (OutboxItem & { seen: boolean }) | undefined {
    const entry = this.#entries.get(ack.ref)
    if (entry === undefined) return undefined
    this.#remove(entry)
    if (!entry.seen) this.#unshown.set(entry.ref, draftOf(entry))
    const { op: _, ...result } = ack
    this.#options.changed({ ref: ack.ref, status: 'acked' })
    entry.resolve(result)
    this.#pump(entry.to)
    return { ...itemOf(entry), seen: entry.seen }
  }

  /** @returns whether the error was about one of these messages */
  refused(error: ServerFrameOf<'error'>): boolean {
    const entry = error.ref === undefined ? undefined : this.#entries.get(error.ref)
    const lane = entry && this.#lanes.get(entry.to)
    if (entry === undefined || lane === undefined) return false
    const reason = new StarlingError(error.code, error.message, error)
    if (!reason.retryable) {
      this.#fail(entry, reason)
      this.#pump(entry.to)
      return true
    }
    // Only `unavailable` leaves it open whether the message was stored.
    if (reason.code === 'unavailable') entry.unsure = true
    const { clock, random } = this.#options
    const ms = reason.retryIn ?? backoffMs(entry.refusals, random)
    entry.refusals++
    lane.hold = clock.setTimeout(() => {
      lane.hold = undefined
      this.#pump(entry.to)
    }, ms)
    this.#setStatus(entry, 'queued')
    return true
  }

  /** Nothing will be sent again. */
  end(): void {
    this.#ended = true
    for (const lane of this.#lanes.values()) this.#options.clock.clearTimeout(lane.hold)
    this.#lanes.clear()
    for (const entry of this.#entries.values())
      entry.reject(new StarlingError('closed', 'the client is closed'))
    this.#entries.clear()
  }

  #enqueue(entry: Entry): void {
    const lane = this.#lanes.get(entry.to)
    if (lane === undefined) this.#lanes.set(entry.to, { queue: [entry], hold: undefined })
    else lane.queue.push(entry)
  }

  /** Sends the first of a conversation, if it may go. */
  #pump(to: string): void {
    const lane = this.#lanes.get(to)
    while (lane !== undefined && this.#say !== undefined && lane.hold === undefined) {
      const entry = lane.queue[0]
      if (entry === undefined || entry.status === 'sent') return
      if (this.#options.clock.now() - entry.queuedAt > LONG_MS) entry.unsure = true
      const text = entry.unsure ? `${entry.text.slice(0, -1)},"retry":true}` : entry.text
      // A frame over the limit would cost the connection, not just the message.
      if (exceeds(text, this.#frameLimit)) {
        this.#fail(entry, new StarlingError('too_large', 'larger than a frame may be', { field: 'body' }))
        continue
      }
      this.#setStatus(entry, 'sent')
      this.#say?.(text)
      return
    }
  }

  #fail(entry: Entry, error: StarlingError): void {
    this.#remove(entry)
    this.#options.changed({ ref: entry.ref, status: 'failed', error })
    entry.reject(error)
  }

  /** Replies come for what is under way, which is the first of its lane. */
  #remove(entry: Entry): void {
    this.#entries.delete(entry.ref)
    const lane = this.#lanes.get(entry.to)
    if (lane === undefined) return
    lane.queue.splice(lane.queue.indexOf(entry), 1)
    if (lane.queue.length > 0) return
    this.#options.clock.clearTimeout(lane.hold)
    this.#lanes.delete(entry.to)
  }

  #setStatus(entry: Entry, status: OutboxStatus): void {
    entry.status = status
    this.#options.changed({ ref: entry.ref, status })
  }
}

/** @throws StarlingError for what no gateway could answer to */
function entryOf(draft: SavedDraft, queuedAt: number): Entry {
  const { ref, to, body, reply, mentions } = draft
  if (!isRef(ref))
    throw new StarlingError('bad_request', 'must be 1 to 64 printable characters', { field: 'ref' })
  let text: string
  try {
    text = JSON.stringify({ op: 'send', ref, to, body, reply, mentions })
  } catch (cause) {
    throw new StarlingError('bad_request', 'not to be written as JSON', { field: 'body', cause })
  }
  if (isTooDeep(body)) throw new StarlingError('bad_request', 'nested too deep', { field: 'body' })
  const { promise, resolve, reject } = withResolvers<Ack>()
  // The `outbox` event tells of a failure, too: also of what an earlier run has sent, which nobody awaits.
  promise.catch(() => {})
  return {
    ...contentOf(draft),
    status: 'queued',
    text,
    unsure: false,
    queuedAt,
    refusals: 0,
    seen: false,
    resolve,
    reject,
    acked: promise,
  }
}

/** `Promise.withResolvers`, which browsers have had since 2024 only. */
function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: StarlingError) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** What its sender has given, and no more. */
function contentOf({ ref, to, body, reply, mentions }: Omit<SavedDraft, 'seen'>) {
  return {
    ref,
    to,
    body,
    ...(reply !== undefined && { reply }),
    ...(mentions !== undefined && { mentions }),
  }
}

const draftOf = (entry: Entry): SavedDraft => ({ ...contentOf(entry), ...(entry.seen && { seen: true }) })

const itemOf = (entry: Entry): OutboxItem => ({ ...contentOf(entry), status: entry.status })
