/**
 * What this client has: every message once, in order, and where something is missing. Groups and channels
 * are judged by their own seq, dms by the inbox. Knows no time and no line: sync.ts decides when a hole has
 * been open for too long and asks; this says what to ask for and takes in what came of it.
 */
import type { MessageFrame, ServerFrameOf } from '@starling/protocol/frames'
import { isConv, isPosition } from '@starling/protocol/ids'
import { SYNCED_CONVS } from '@starling/protocol/limits'
import { DenseLine, type Verdict } from './dense-line.ts'
import { DmLine } from './dm-line.ts'
import { comparePlaces, type Place } from './held.ts'
import type { Saved, SavedDm } from './storage.ts'

/** What is told again of older dms (their sender had to try again) may be shown again after a restart. */
const SAVED_DMS = 200

/** A conversation, or the inbox. */
export type LineKey = string
export const INBOX = 'inbox'

export interface PositionsOptions {
  /** Every message, once. */
  deliver: (frame: MessageFrame) => void
  /** The inbox has moved on, or a sync has settled how far something goes. */
  moved: () => void
  /** Something is missing before what has come; said again when a part of it came. */
  broke: (line: LineKey) => void
  /** Nothing is missing any more. */
  mended: (line: LineKey) => void
  /** The server has lost a part of the log: ask at once. */
  wentBack: (line: LineKey) => void
  /** A sync has left out a part of it, which none will bring any more. */
  skipped: (line: LineKey) => void
  /** Whether a sync that will settle it is under way. */
  isAsked: (line: LineKey) => boolean
}

/** From where something is asked for, and how far it was held at that time. */
interface Asked<At = string> {
  at: At
  heldTo: Place | undefined
}

/** What one `sync` asks for. `inbox.at` is undefined where this client knows no position: the server may. */
export interface SyncRequest {
  inbox?: Asked<string | undefined>
  convs: [conv: string, asked: Asked][]
}

/** What a sync could not bring. */
export interface SyncResult {
  /** Older than the log: to be loaded by HTTP. */
  gaps: string[]
  /** More has come than this sync could know of: to be asked for once more. */
  again: string[]
}

export class Positions {
  readonly #options: PositionsOptions
  readonly #inbox: DenseLine<undefined>
  /** The inbox' head as the server last told it. */
  #head: Place | undefined
  readonly #dense = new Map<string, DenseLine<MessageFrame>>()
  readonly #dms = new Map<string, DmLine<MessageFrame>>()
  readonly #broken = new Set<LineKey>()
  #safeInbox: string | undefined

  constructor(options: PositionsOptions) {
    this.#options = options
    this.#inbox = new DenseLine(() => options.moved())
  }

  get inbox(): string | undefined {
    return this.#inbox.at
  }

  /** The last position of the inbox up to which everything is known to be delivered; nothing of it was held then. */
  get safeInbox(): string | undefined {
    const holds = [...this.#broken].some(
      (key) => this.#dms.has(key) || this.#dense.get(key)?.holds(isOfInbox),
    )
    if (!holds) this.#safeInbox = this.#inbox.at
    return this.#safeInbox
  }

  /** @param settled it comes from a sync, which sends all there is, in order */
  take(frame: MessageFrame, settled = false): void {
    if (frame.inbox !== undefined) this.#takeInbox(frame.inbox, settled)
    // What the inbox brings of a group says nothing of the group's own messages before it.
    this.#takeMessage(frame, settled && (isDm(frame.conv) || !isOfInbox(frame)))
  }

  /** A message of this client that was acked, and has not been delivered in another way. */
  takeOwn(frame: MessageFrame): void {
    if (frame.inbox !== undefined) this.#takeInbox(frame.inbox, false)
    // Its conversation may have been read further than that from a sync that left it out.
    if (this.#takeMessage(frame, false) === 'seen') this.#options.deliver(frame)
  }

  /** An entry of the inbox is accounted for without its frame. */
  takeInbox(position: string): void {
    this.#takeInbox(position, false)
  }

  /** The server says how far the inbox goes. */
  noteHead(position: string): void {
    this.#head = placeOf(position)
    if (this.isBroken(INBOX)) this.#break(INBOX)
  }

  /** Whether something is missing. */
  isBroken(key: LineKey): boolean {
    if (key !== INBOX) return (this.#dense.get(key) ?? this.#dms.get(key))?.broken ?? false
    const at = this.#inbox.at
    if (at === undefined) return false
    return this.#inbox.broken || (this.#head !== undefined && comparePlaces(placeOf(at), this.#head) < 0)
  }

  /** Delivers what is held of a dm: its missing messages have not come to this user. */
  releaseDm(conv: string): void {
    this.#dms.get(conv)?.release()
    this.#mend(conv)
  }

  /** @returns what to ask for: everything, or these conversations alone; dms come with the inbox */
  request(convs?: readonly string[]): SyncRequest {
    const { at, heldTo } = this.#inbox
    const wantsInbox = convs?.some((conv) => conv === INBOX || isDm(conv)) ?? true
    const known = this.#known(convs ?? [...this.#dense.keys()])
    return {
      ...(wantsInbox && { inbox: { at, heldTo } }),
      convs: known.map(([conv, at]) => [conv, { at, heldTo: this.#dense.get(conv)?.heldTo }]),
    }
  }

  /** Takes in the end of a sync; its messages were taken before. */
  settle(request: SyncRequest, synced: ServerFrameOf<'synced'>): SyncResult {
    const result: SyncResult = { gaps: [], again: [] }
    if (request.inbox !== undefined) this.#settleInbox(request.inbox, synced)
    const listed = new Map(synced.convs.map((entry) => [entry.conv, entry]))
    for (const [conv, { at: given, heldTo }] of request.convs) {
      const line = this.#dense.get(conv)
      if (line === undefined) continue
      const entry = listed.get(conv)
      if (line.overflowed) result.again.push(conv)
      if (entry !== undefined) {
        // At the end of a log that has lost its tail there is nothing else to go on from.
        if (entry.gap && line.at === given) line.rebase(placeOf(entry.head))
        else line.settle(placeOf(entry.head), heldTo)
      } else {
        line.release()
        // A list with room left would have named it, if it were still this user's.
        if (synced.convs.length < SYNCED_CONVS && line.at === given) this.#dense.delete(conv)
      }
      this.#mend(conv)
    }
    const given = new Set(request.convs.map(([conv]) => conv))
    for (const { conv, head, gap } of synced.convs) {
      if (gap) result.gaps.push(conv)
      if (isDm(conv) || given.has(conv)) continue
      const line = this.#dense.get(conv)
      if (line === undefined) this.#dense.set(conv, this.#newLine(placeOf(head)))
      // The inbox has just told of it (one was added to a group); what came there since is not in the inbox.
      else if (comparePlaces(placeOf(line.at as string), placeOf(head)) < 0) result.again.push(conv)
    }
    this.#options.moved()
    return result
  }

  /**
   * The line has ended. What is held of groups will be sent again, but for what the inbox brought and has counted: one may
   * be out of the group by now. What is held of dms was counted, too, or waits for what is missing in the inbox: that comes
   * with the next session's sync, and goes first.
   */
  lineLost(): void {
    const waits = this.#inboxMissed
    for (const key of this.#broken) {
      const dm = this.#dms.get(key)
      if (dm && waits) continue
      dm?.release()
      const group = this.#dense.get(key)
      group?.drop(isOfInbox)
      if (!group?.broken) this.#broken.delete(key)
    }
    this.#inbox.drop()
    this.#head = undefined
  }

  /** Starts afresh, as another user must. */
  forget(): void {
    this.#inbox.reset()
    this.#safeInbox = undefined
    this.#dense.clear()
    this.#dms.clear()
    this.#broken.clear()
  }

  restore(saved: Saved): void {
    if (isPosition(saved.inbox)) {
      this.#inbox.rebase(placeOf(saved.inbox))
      this.#safeInbox = saved.inbox
    }
    for (const pair of saved.convs) {
      if (!Array.isArray(pair)) continue
      const [conv, at] = pair
      if (isConv(conv) && !isDm(conv) && isPosition(at)) this.#dense.set(conv, this.#newLine(placeOf(at)))
    }
    for (const dm of Array.isArray(saved.dms) ? saved.dms : []) {
      if (!isSavedDm(dm)) continue
      const [conv, at, holes] = dm
      this.#dmLine(conv).restore({ ...placeOf(at), holes })
    }
  }

  saved(): Pick<Saved, 'inbox' | 'convs' | 'dms'> {
    const inbox = this.safeInbox
    const dms = [...this.#dms]
      .flatMap(([conv, { state }]) => (state === undefined ? [] : [{ conv, state }]))
      .sort((a, b) => b.state.ms - a.state.ms)
      .slice(0, SAVED_DMS)
      .map(({ conv, state: { ms, seq, holes } }): SavedDm => [conv, `${ms}-${seq}`, holes])
    return { ...(inbox !== undefined && { inbox }), convs: this.#known([...this.#dense.keys()]), dms }
  }

  /** Whether entries of the inbox that were there before are still to come. */
  get #inboxMissed(): boolean {
    return this.#options.isAsked(INBOX) || this.isBroken(INBOX)
  }

  #takeInbox(position: string, settled: boolean): void {
    const { ms, seq } = placeOf(position)
    if (settled && this.#inbox.skipsTo(ms, seq)) this.#options.skipped(INBOX)
    this.#judge(INBOX, this.#inbox.take(ms, seq, undefined, settled, this.#options.isAsked(INBOX)))
  }

  #takeMessage(frame: MessageFrame, settled: boolean): Verdict {
    const { conv, id } = frame
    const { ms, seq } = placeOf(id)
    let verdict: Verdict
    if (isDm(conv)) verdict = this.#dmLine(conv).take(ms, seq, frame, settled, this.#inboxMissed)
    else {
      const line = this.#denseLine(conv, ms, seq)
      if (settled && line.skipsTo(ms, seq)) this.#options.skipped(conv)
      verdict = line.take(ms, seq, frame, settled, this.#options.isAsked(conv))
    }
    this.#judge(conv, verdict)
    return verdict
  }

  #judge(key: LineKey, verdict: Verdict): void {
    if (verdict === 'next') {
      if (this.#broken.has(key)) this.#mend(key)
    } else if (verdict === 'jump') {
      if (!this.#broken.has(key)) this.#break(key)
    } else if (verdict === 'back') {
      if (this.isBroken(key)) this.#broken.add(key)
      this.#options.wentBack(isDm(key) ? INBOX : key)
    }
  }

  #break(key: LineKey): void {
    // Where the start is not known yet, the sync under way tells it.
    if (key === INBOX && this.#inbox.at === undefined) return
    this.#broken.add(key)
    this.#options.broke(key)
  }

  #mend(key: LineKey): void {
    if (this.isBroken(key)) this.#break(key)
    else if (this.#broken.delete(key)) this.#options.mended(key)
  }

  #settleInbox({ at, heldTo }: Asked<string | undefined>, synced: ServerFrameOf<'synced'>): void {
    const head = placeOf(synced.inbox)
    this.#head = undefined
    if (this.#inbox.at === at && synced.gap) this.#inbox.rebase(head)
    else this.#inbox.settle(head, heldTo)
    this.#mend(INBOX)
    // What has come since, behind a new hole, waits for what fills that one.
    const waits = this.isBroken(INBOX)
    for (const key of this.#broken) {
      if (!isDm(key)) continue
      if (waits) this.#options.broke(key)
      else this.releaseDm(key)
    }
  }

  #known(convs: readonly string[]): [conv: string, at: string][] {
    const known: [string, string][] = []
    for (const conv of convs) {
      const at = this.#dense.get(conv)?.at
      if (at !== undefined) known.push([conv, at])
    }
    return known
  }

  #newLine(at: Place): DenseLine<MessageFrame> {
    return new DenseLine(this.#options.deliver, at)
  }

  #denseLine(conv: string, ms: number, seq: number): DenseLine<MessageFrame> {
    let line = this.#dense.get(conv)
    if (line === undefined) {
      // The first one seen is where this client's knowledge begins.
      line = this.#newLine({ ms, seq: seq - 1 })
      this.#dense.set(conv, line)
    }
    return line
  }

  #dmLine(conv: string): DmLine<MessageFrame> {
    let line = this.#dms.get(conv)
    if (line === undefined) {
      line = new DmLine(this.#options.deliver, isBehind)
      this.#dms.set(conv, line)
    }
    return line
  }
}

const isDm = (conv: string): boolean => conv.startsWith('dm:')

/** It has a place in the inbox: every dm, and those events of groups that concern this user. */
const isOfInbox = ({ inbox }: MessageFrame): boolean => inbox !== undefined

/** Whether a dm's turn in the inbox comes later. One's own may have no place there: it goes by its id alone. */
const isBehind = ({ inbox: held }: MessageFrame, { inbox }: MessageFrame): boolean =>
  held !== undefined && inbox !== undefined && comparePlaces(placeOf(held), placeOf(inbox)) > 0

function placeOf(position: string): Place {
  const dash = position.indexOf('-')
  return { ms: Number(position.slice(0, dash)), seq: Number(position.slice(dash + 1)) }
}

/** Storage is in other hands. */
function isSavedDm(dm: unknown): dm is SavedDm {
  if (!Array.isArray(dm)) return false
  const [conv, at, holes] = dm as unknown[]
  const isRange = (range: unknown) =>
    Array.isArray(range) && range.length === 2 && range.every((seq) => Number.isSafeInteger(seq))
  return isConv(conv) && isDm(conv) && isPosition(at) && Array.isArray(holes) && holes.every(isRange)
}
