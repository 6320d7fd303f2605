/**
 * Presence: who is online, told to those who watch. Changes are decided once, in the user's own script; each
 * gateway gathers what it decided into batches, and hands what it hears to the watchers it holds.
 */
import type { SessionId, UserId } from '@starling/protocol/ids'
import { OFFLINE_GRACE_MS } from '@starling/protocol/limits'
import type { Log } from '../lib/log.ts'
import type { OnlinePort, PresenceBatch, SessionPort } from './ports.ts'

/** How long batches are gathered before they are told, ms. */
const GATHER_MS = 50
/** How long at least the number of a change is remembered, to know a late batch as late; far above any delay, ms. */
const REMEMBER_MS = 10_000
/** Publishes a batch to all gateways, this one included. */
export type TellPresence = (batch: PresenceBatch) => Promise<void>
/** Hears of changes; ids alone. */
export type PresenceListener = (on: UserId[], off: UserId[]) => void

/** A user's last leaving. */
interface Leaving {
  session: SessionId
  /** ms, of the clock that only goes on. */
  at: number
}

/** A change of presence, by its number; of one who went offline, with the session that was the last. */
interface Change {
  change: number
  left: SessionId | undefined
}

export class Presence {
  readonly #sessions: SessionPort
  readonly #online: OnlinePort
  readonly #tell: TellPresence
  readonly #log: Log
  /** Whose last session has left here, and when, in the order of time: all graces are of one length. */
  readonly #graces = new Map<UserId, Leaving>()
  #graceTimer: NodeJS.Timeout | undefined
  /** Graces that are over and of which Redis has still to hear. */
  #ending = 0
  /** Called when no grace is left, running or over. */
  #onSettled = () => {}
  #gathered = new Map<UserId, Change>()
  #gatherTimer: NodeJS.Timeout | undefined
  /** The last change heard of each user: of this stretch of time, and of the one before. */
  #changes = new Map<UserId, number>()
  #earlier = new Map<UserId, number>()
  #forgetTimer: NodeJS.Timeout | undefined
  #total: number | undefined
  #closed = false
  /** Set by who passes changes on to clients. */
  onChange: PresenceListener = () => {}
  /** Called when changes may have been missed: watchers look again. */
  onDoubt: () => void = () => {}

  constructor(deps: { sessions: SessionPort; online: OnlinePort; tell: TellPresence; log: Log }) {
    this.#sessions = deps.sessions
    this.#online = deps.online
    this.#tell = deps.tell
    this.#log = deps.log
  }

  /** A user's first session has joined here; `change` is its number. */
  came(user: UserId, change: number): void {
    this.#gather(user, { change, left: undefined })
  }

  /** A user's last session of all has left here: offline, unless one comes back within the grace. */
  left(user: UserId, session: SessionId): void {
    // One who was back and left again has a new grace, on this node or on another, which the store knows.
    this.#graces.delete(user)
    this.#graces.set(user, { session, at: performance.now() })
    this.#graceTimer ??= setTimeout(() => this.#endGraces(), OFFLINE_GRACE_MS)
  }

  /** The reaper found these offline. */
  async reaped(gone: readonly (readonly [UserId, number])[], last: boolean): Promise<void> {
    await this.#tell({
      on: [],
      off: gone.map(([user, change]) => [user, change]),
      ...(last && { reaped: true }),
    })
  }

  /** Takes a batch from the bus. */
  hear(batch: PresenceBatch): void {
    const news = (list: [UserId, number][]) =>
      list.filter(([user, change]) => {
        if ((this.#changes.get(user) ?? this.#earlier.get(user) ?? 0) >= change) return false
        this.#changes.set(user, change)
        return true
      })
    const on = news(batch.on).map(([user]) => user)
    const off = news(batch.off).map(([user]) => user)
    if (this.#changes.size > 0 && !this.#closed)
      this.#forgetTimer ??= setTimeout(() => this.#forget(), REMEMBER_MS)
    if (this.#total !== undefined) this.#total += on.length - off.length
    if (on.length + off.length > 0) this.onChange(on, off)
    if (batch.reaped) this.onDoubt()
  }

  /** @returns which of the users are online and which are not */
  async of(users: readonly UserId[]): Promise<{ on: UserId[]; off: UserId[] }> {
    const online = await this.#online.among(users)
    return { on: users.filter((user) => online.has(user)), off: users.filter((user) => !online.has(user)) }
  }

  /**
   * Counts how many are online. What is heard keeps the number up between counts, roughly: a change that was counted
   * already may be heard after the count.
   */
  async countOnline(): Promise<number> {
    this.#total = await this.#online.total()
    return this.#total
  }

  /** @returns how many are online as last counted, kept up by what was heard since */
  get total(): number {
    return this.#total ?? 0
  }

  /** A page of everybody who is online, bucket by bucket and by name, so that nobody comes twice. */
  async page(page: {
    cursor?: string | undefined
    limit: number
  }): Promise<{ users: UserId[]; total: number; cursor?: string }> {
    const [startBucket = '0', after = ''] = page.cursor?.split('~') ?? []
    const counts = await this.#online.counts()
    const total = counts.reduce((sum, count) => sum + count, 0)
    const users: { user: UserId; bucket: number }[] = []
    const filled = counts.flatMap((count, bucket) =>
      count > 0 && bucket >= Number(startBucket) ? [bucket] : [],
    )
    // Buckets hold few users each: as many are read at once as a page may need.
    while (users.length <= page.limit && filled.length > 0) {
      const next = filled.splice(0, page.limit + 1)
      const lists = await Promise.all(
        next.map((bucket) =>
          this.#online.page(bucket, bucket === Number(startBucket) ? after : '', page.limit + 1),
        ),
      )
      for (const [index, list] of lists.entries()) {
        for (const user of list) users.push({ user, bucket: next[index]! })
      }
    }
    const shown = users.slice(0, page.limit)
    const last = shown.at(-1)
    return {
      users: shown.map(({ user }) => user),
      total,
      ...(users.length > page.limit && last && { cursor: `${last.bucket}~${last.user}` }),
    }
  }

  /** Waits for the graces to end, and tells what is left to tell: a user who is back elsewhere was never off. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#graces.size + this.#ending > 0)
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve
      })
    await this.#publish()
    clearTimeout(this.#forgetTimer)
  }

  /** Ends the graces that are over, and waits for the next one. */
  #endGraces(): void {
    this.#graceTimer = undefined
    const over = performance.now() - OFFLINE_GRACE_MS
    for (const [user, { session, at }] of this.#graces) {
      if (at > over) {
        this.#graceTimer = setTimeout(() => this.#endGraces(), Math.ceil(at - over))
        break
      }
      this.#graces.delete(user)
      void this.#end(user, session)
    }
  }

  async #end(user: UserId, session: SessionId): Promise<void> {
    this.#ending += 1
    try {
      const { gone } = await this.#sessions.endPresence(user, session)
      if (gone !== undefined) this.#gather(user, { change: gone, left: session })
    } catch (fault) {
      this.#log.debug({ err: fault, user }, 'presence: not ended now')
      // Who has left again meanwhile has a grace already.
      if (!this.#closed && !this.#graces.has(user)) this.left(user, session)
    }
    this.#ending -= 1
    if (this.#graces.size + this.#ending === 0) this.#onSettled()
  }

  /** Lets go of the changes that were heard before this stretch of time, which is over. */
  #forget(): void {
    this.#earlier = this.#changes
    this.#changes = new Map()
    this.#forgetTimer = this.#earlier.size > 0 ? setTimeout(() => this.#forget(), REMEMBER_MS) : undefined
  }

  #gather(user: UserId, change: Change): void {
    const known = this.#gathered.get(user)
    if (!known || known.change < change.change) this.#gathered.set(user, change)
    this.#gatherTimer ??= setTimeout(() => void this.#publish(), GATHER_MS)
  }

  async #publish(): Promise<void> {
    clearTimeout(this.#gatherTimer)
    this.#gatherTimer = undefined
    const gathered = this.#gathered
    if (gathered.size === 0) return
    this.#gathered = new Map()
    const batch: PresenceBatch = { on: [], off: [] }
    const releases: [UserId, SessionId][] = []
    for (const [user, { change, left }] of gathered) {
      batch[left === undefined ? 'on' : 'off'].push([user, change])
      if (left !== undefined) releases.push([user, left])
    }
    try {
      await this.#tell(batch)
      await Promise.all(releases.map(([user, left]) => this.#sessions.release(user, left)))
    } catch (fault) {
      this.#log.debug({ err: fault }, 'presence: not told now')
      if (!this.#closed) for (const [user, change] of gathered) this.#gather(user, change)
    }
  }
}
