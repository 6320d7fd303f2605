/**
 * Makes what was received safe, at most once a second: first in the storage, then by telling the server with
 * `received`, which may throw away what this device has.
 */
import { ORIGIN } from '@starling/protocol/ids'
import type { Clock, Timer } from './clock.ts'
import type { Outbox } from './outbox.ts'
import type { Positions } from './positions.ts'
import type { PositionStorage, Saved } from './storage.ts'

const EVERY_MS = 1_000

export interface KeeperOptions {
  clock: Clock
  storage: PositionStorage | undefined
  positions: Positions
  outbox: Outbox
  failed: (error: unknown) => void
}

export class Keeper {
  readonly #options: KeeperOptions
  #loaded: Promise<Saved | undefined> | undefined
  #user: string | undefined
  #say: ((text: string) => void) | undefined
  #told: string | undefined
  #timer: Timer | undefined
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
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      void this.keep()
    }, ms)
  }

  /** A session has begun. */
  up(user: string, say: (text: string) => void): void {
    this.#user = user
    this.#say = say
    this.touch()
  }

  down(): void {
    this.#say = undefined
    // Said on a line that was about to end, it may not have arrived.
    this.#told = undefined
  }

  /** Does now what is due anyway. */
  async keep(): Promise<void> {
    const { clock, positions, outbox, storage, failed } = this.#options
    if (this.#user === undefined) return
    this.#lastAt = clock.now()
    const inbox = positions.safeInbox
    try {
      await storage?.save({ user: this.#user, ...positions.saved(), outbox: outbox.saved() })
    } catch (error) {
      return failed(error)
    }
    if (inbox === undefined || inbox === ORIGIN || inbox === this.#told || this.#say === undefined) return
    this.#told = inbox
    this.#say(JSON.stringify({ op: 'received', inbox }))
  }

  /** Keeps what there is for the last time; what changes later is not kept. */
  end(): Promise<void> {
    const kept = this.keep()
    this.#options.clock.clearTimeout(this.#timer)
    this.#user = undefined
    return kept
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
