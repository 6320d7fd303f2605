/**
 * Makes what was received safe, at most once a second: first in the storage, then by telling the server with
 * `received`, which may throw away what this device has.
 */
import { ORIGIN } from '@starling/protocol/ids'
import type { Clock, Timer } from './clock.ts'
import type { Positions } from './positions.ts'
import type { PositionStorage, Saved, SavedDraft } from './storage.ts'

const EVERY_MS = 1_000
/** How long a save may be waited for: a storage that hangs must not end all saving, nor keep a client from closing, ms. */
const PATIENCE_MS = 10_000

export interface KeeperOptions {
  clock: Clock
  storage: PositionStorage | undefined
  positions: Positions
  /** What is still to be sent. */
  unsent: () => SavedDraft[]
  failed: (error: unknown) => void
}

export class Keeper {
  readonly #options: KeeperOptions
  #loaded: Promise<Saved | undefined> | undefined
  #user: string | undefined
  #say: ((text: string) => void) | undefined
  #told: string | undefined
  #timer: Timer | undefined
  /** The save under way. */
  #saving: Promise<void> | undefined
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** @returns what an earlier run has kept; read once */
  load(): Promise<Saved | undefined> {
    this.#loaded ??= this.#load()
    return this.#loaded
  }

  /** Something has changed that should be kept. */
  readonly touch = (): void => {
    if (this.#timer !== undefined || this.#user === undefined) return
    const { clock } = this.#options
    const ms = Math.max(0, this.#lastAt + EVERY_MS - clock.now())
    this.#timer = clock.setTimeout(() => void this.#keepInTurn(), ms)
  }

  /** Whose it all is: the user of the earlier run, if it is known to be theirs, and from the first session on that one's. */
  own(user: string | undefined): void {
    this.#user = user
    this.touch()
  }

  /** A session has begun. */
  up(user: string, say: (text: string) => void): void {
    this.#say = say
    this.own(user)
  }

  down(): void {
    this.#say = undefined
    // Said on a line that was about to end, it may not have arrived.
    this.#told = undefined
  }

  /** Does now what is due anyway, behind a save under way: an older one must not end after a newer one. */
  keep(): Promise<void> {
    const { clock, positions, unsent } = this.#options
    if (this.#user === undefined) return Promise.resolve()
    this.#lastAt = clock.now()
    const inbox = positions.safeInbox
    const saved = { user: this.#user, ...positions.saved(), outbox: unsent() }
    const save = () => this.#save(saved, inbox)
    // At once where nothing is under way: a page that is being left has no time.
    const kept = (this.#turn()?.then(save) ?? save()).then(() => {
      if (this.#saving === kept) this.#saving = undefined
    })
    this.#saving = kept
    return kept
  }

  /** Keeps what there is for the last time; what changes later is not kept. */
  async end(): Promise<void> {
    void this.keep()
    this.#options.clock.clearTimeout(this.#timer)
    this.#user = undefined
    await this.#turn()
  }

  /** A slow storage is asked again when it is done; what changes until then goes along. */
  async #keepInTurn(): Promise<void> {
    await this.#turn()
    this.#timer = undefined
    await this.keep()
  }

  /** @returns what ends with the save under way, if there is one */
  #turn(): Promise<void> | undefined {
    const { clock } = this.#options
    const saving = this.#saving
    if (saving === undefined) return undefined
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        if (this.#saving === saving) this.#saving = undefined
        resolve()
      }, PATIENCE_MS)
      void saving.then(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
  }

  async #save(saved: Saved, inbox: string | undefined): Promise<void> {
    const { storage, failed } = this.#options
    try {
      await storage?.save(saved)
    } catch (error) {
      return failed(error)
    }
    if (inbox === undefined || inbox === ORIGIN || inbox === this.#told || this.#say === undefined) return
    this.#told = inbox
    this.#say(JSON.stringify({ op: 'received', inbox }))
  }

  async #load(): Promise<Saved | undefined> {
    try {
      const saved = await this.#options.storage?.load()
      return isSaved(saved) ? saved : undefined
    } catch (error) {
      this.#options.failed(error)
      return undefined
    }
  }
}

/** Storage is in other hands; what it holds is looked at where it is used. */
function isSaved(value: unknown): value is Saved {
  const { user, convs, outbox } = (value ?? {}) as Partial<Record<keyof Saved, unknown>>
  return typeof user === 'string' && Array.isArray(convs) && Array.isArray(outbox)
}
