/**
 * Asking for what was missed: after every welcome, when a hole stays open, on the server's word. Owns the
 * timers of open holes and the syncs under way; positions.ts knows what is missing.
 */
import type { ConversationEntry, ServerFrameOf } from '@starling/protocol/frames'
import { GAP_GRACE_MS, MAX_FRAME_BYTES } from '@starling/protocol/limits'
import type { Clock, Timer } from './clock.ts'
import { StarlingError } from './errors.ts'
import { INBOX, type LineKey, type Positions, type SyncRequest } from './positions.ts'
import { backoffMs } from './reconnect.ts'
import type { Question } from './requests.ts'

export interface SyncerOptions {
  clock: Clock
  random: () => number
  positions: Positions
  /** Asks on the session's line; rejects with `disconnected` when it ends. */
  ask: (question: Question) => Promise<ServerFrameOf<'synced'>>
  /** The list that came with a sync. */
  listed: (entries: ConversationEntry[]) => void
  /** What no sync can bring: history is to be loaded by HTTP. */
  reload: (convs: string[] | 'all') => void
  /** A sync was refused; it will be tried again. */
  failed: (error: StarlingError) => void
}

/** What one position takes in a frame, at most: a conversation, an id and what is around them. */
const POSITION_BYTES = 128

export class Syncer {
  readonly #options: SyncerOptions
  #perFrame = MAX_FRAME_BYTES / POSITION_BYTES
  /** Open holes, until they are judged. */
  readonly #holes = new Map<LineKey, Timer>()
  /** Pauses before something is asked. */
  readonly #pauses = new Map<Timer, (error: StarlingError) => void>()
  /** What the syncs under way will settle. */
  readonly #asked = new Map<LineKey, number>()
  /** What the sync under way was found unable to bring, and where it was seen to leave something out. */
  readonly #told = new Set<LineKey>()
  readonly #skipped = new Set<LineKey>()
  #isUp = false

  constructor(options: SyncerOptions) {
    this.#options = options
  }

  /** Asks for everything since the last session. @param resumed as `welcome` says */
  begin(resumed: boolean, frameLimit: number): Promise<void> {
    // Half of the frame is left for the rest.
    this.#perFrame = Math.max(1, Math.floor(frameLimit / 2 / POSITION_BYTES))
    this.#isUp = true
    if (!resumed) this.#missed([INBOX])
    return this.#sync(this.#options.positions.request())
  }

  /** Asks for what is missing, of everything or of these. */
  catchUp(convs?: readonly string[]): Promise<void> {
    return this.#sync(this.#options.positions.request(convs))
  }

  /**
   * The same at a random time within `withinMs`, so that a node's clients don't ask all at once. What comes live until then
   * waits: where the log has lost a part, it may follow without a jump and hide what is missing.
   */
  async catchUpWithin(withinMs: number, convs?: readonly string[]): Promise<void> {
    const done = this.#ask(keysOf(this.#options.positions.request(convs)))
    try {
      await this.#pause(this.#options.random() * withinMs)
      await this.catchUp(convs)
    } finally {
      done()
    }
  }

  /** A hole has opened, or a part of it was filled: what is in flight may fill the rest for a while. */
  holeOpened(key: LineKey): void {
    this.holeClosed(key)
    // Between two sessions there is nothing to wait for: the next one asks for everything.
    if (!this.#isUp) return
    const judge = () => {
      this.#holes.delete(key)
      this.#judge(key)
    }
    this.#holes.set(key, this.#options.clock.setTimeout(judge, GAP_GRACE_MS))
  }

  holeClosed(key: LineKey): void {
    this.#options.clock.clearTimeout(this.#holes.get(key))
    this.#holes.delete(key)
  }

  /** Whether a sync under way will settle it. */
  isAsked(key: LineKey): boolean {
    return this.#asked.has(key)
  }

  /** Asks at once, for nobody in particular. */
  askFor(key: LineKey): void {
    // A lost line ends it, and the next session asks for everything.
    if (!this.#asked.has(key)) this.catchUp([key]).catch(() => {})
  }

  /** The sync under way has left something out. */
  skipped(line: LineKey): void {
    // What is skipped later in a long one may be newer than what was loaded on the first word.
    if (this.#skipped.has(line)) this.#told.clear()
    this.#skipped.add(line)
    this.#missed([line])
  }

  /** The line has ended: nothing more is asked on it. */
  down(): void {
    const { clock } = this.#options
    this.#isUp = false
    for (const timer of this.#holes.values()) clock.clearTimeout(timer)
    this.#holes.clear()
    for (const [timer, stop] of this.#pauses) {
      clock.clearTimeout(timer)
      stop(new StarlingError('disconnected', 'the connection ended before the sync'))
    }
    this.#pauses.clear()
  }

  #judge(key: LineKey): void {
    const { positions } = this.#options
    if (!positions.isBroken(key)) return
    const line = key.startsWith('dm:') ? INBOX : key
    // What a sync under way leaves open has to be judged once more.
    if (this.#asked.has(line)) this.holeOpened(key)
    else if (line === key) this.askFor(key)
    // A hole in a dm is no gap, unless there is one in the inbox, which may be filled without a sync.
    else if (positions.isBroken(INBOX)) this.holeOpened(key)
    else positions.releaseDm(key)
  }

  async #sync(request: SyncRequest): Promise<void> {
    const { positions, listed } = this.#options
    const again: string[] = []
    const askPart = async (part: SyncRequest) => {
      const synced = await this.#insist(part)
      const result = positions.settle(part, synced)
      again.push(...result.again)
      listed(synced.convs)
      this.#missed(synced.gap ? [INBOX] : result.gaps)
    }
    try {
      await Promise.all(this.#parts(request).map(askPart))
    } finally {
      this.#told.clear()
      this.#skipped.clear()
    }
    for (const conv of again) this.askFor(conv)
  }

  /**
   * No sync can bring all of these. Told at once, since the next session's sync goes on behind it and won't know, should the
   * line or the application end before this one does; and once in a sync, which may find it in several ways.
   */
  #missed(lines: readonly LineKey[]): void {
    if (this.#told.has(INBOX)) return
    const news = lines.filter((line) => !this.#told.has(line))
    if (news.length === 0) return
    for (const line of news) this.#told.add(line)
    this.#options.reload(news.includes(INBOX) ? 'all' : news)
  }

  /** Cuts a request so that every part fits into a frame. */
  #parts({ inbox, convs }: SyncRequest): SyncRequest[] {
    const parts: SyncRequest[] = []
    for (let at = 0; at < convs.length; at += this.#perFrame) {
      parts.push({ convs: convs.slice(at, at + this.#perFrame) })
    }
    // Without its own position the inbox has to be asked for by a frame without any.
    if (inbox !== undefined && (inbox.at === undefined || parts[0] === undefined))
      parts.unshift({ convs: [] })
    if (inbox !== undefined) (parts[0] as SyncRequest).inbox = inbox
    return parts
  }

  /** Asks until there is an answer or the line ends. */
  async #insist(part: SyncRequest): Promise<ServerFrameOf<'synced'>> {
    const { ask, failed, random } = this.#options
    const done = this.#ask(keysOf(part))
    const question: Question = {
      op: 'sync',
      inbox: part.inbox?.at,
      convs: part.convs.length > 0 ? positionsOf(part) : undefined,
    }
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await ask(question)
        } catch (error) {
          if (!(error instanceof StarlingError) || error.code === 'disconnected' || error.code === 'closed')
            throw error
          failed(error)
          await this.#pause(error.retryIn ?? backoffMs(attempt, random))
        }
      }
    } finally {
      done()
    }
  }

  /** Notes that these are asked for. @returns what ends it */
  #ask(keys: readonly LineKey[]): () => void {
    for (const key of keys) this.#asked.set(key, (this.#asked.get(key) ?? 0) + 1)
    return () => {
      for (const key of keys) {
        const count = (this.#asked.get(key) ?? 1) - 1
        if (count > 0) this.#asked.set(key, count)
        else this.#asked.delete(key)
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimeout(() => {
        this.#pauses.delete(timer)
        resolve()
      }, ms)
      this.#pauses.set(timer, reject)
    })
  }
}

const positionsOf = ({ convs }: SyncRequest): Record<string, string> =>
  Object.fromEntries(convs.map(([conv, { at }]) => [conv, at]))

const keysOf = ({ inbox, convs }: SyncRequest): LineKey[] => [
  ...convs.map(([conv]) => conv),
  ...(inbox === undefined ? [] : [INBOX]),
]
