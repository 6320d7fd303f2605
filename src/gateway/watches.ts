/**
 * Who of this node's sessions watches whose presence. Changes are merged: at most one frame per session and tick.
 */
import { encodeFrame } from '@starling/protocol/codec'
import { ProtocolError } from '@starling/protocol/errors'
import type { UserId } from '@starling/protocol/ids'
import { PRESENCE_MERGE_MS, WATCH_PER_SESSION } from '@starling/protocol/limits'
import type { Log } from '../lib/log.ts'
import { Turns } from '../lib/turns.ts'
import type { Presence } from '../services/presence.ts'
import { assertThere, type Session } from './session.ts'

export type Watched = UserId | '*'

/** What a watch is answered: who is online, and how many where everybody is watched. */
interface Seen {
  presence?: { on: UserId[]; off: UserId[] }
  total?: number
}

/** How long after a change the total is counted; while too many are online, all that those who watch everybody get, ms. */
const RECOUNT_MS = 1_000

export class Watches {
  readonly #presence: Presence
  readonly #watchAllMax: number
  readonly #log: Log
  readonly #watchers = new Map<UserId, Set<Session>>()
  readonly #all = new Set<Session>()
  /** What was last heard of watched users; those who watch everybody need no such memory. */
  readonly #known = new Map<UserId, boolean>()
  /** Changes of this tick. */
  #changes = new Map<UserId, boolean>()
  /** Who began to watch a user that changes in this tick, and what they were answered. */
  #answered = new Map<UserId, Map<Session, boolean>>()
  /** What is heard while somebody reads. */
  readonly #listening = new Set<Map<UserId, boolean>>()
  #timer: NodeJS.Timeout | undefined
  #recount: NodeJS.Timeout | undefined
  #toldTotal: number | undefined

  constructor(deps: { presence: Presence; watchAllMax: number; log: Log }) {
    this.#presence = deps.presence
    this.#watchAllMax = deps.watchAllMax
    this.#log = deps.log
    this.#presence.onChange = (on, off) => this.#hear(on, off)
    this.#presence.onDoubt = () => void this.#lookAgain()
  }

  /**
   * Looks, listening meanwhile, and watches from then on: nothing falls between, nothing comes before the answer.
   * @throws ProtocolError `bad_request` over the limit; nothing is applied then
   */
  watch(session: Session, watched: readonly Watched[]): Promise<Seen> {
    session.watches ??= new Turns()
    return session.watches.take(() => this.#watch(session, watched))
  }

  /** Ends what was asked for before. */
  async unwatch(session: Session, watched: Iterable<Watched>): Promise<void> {
    await session.watches?.take(() => this.#unwatch(session, watched))
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.#unwatch(session, ['*', ...(session.watching ?? [])])
  }

  async #watch(session: Session, watched: readonly Watched[]): Promise<Seen> {
    assertThere(session)
    const users = [...new Set(watched)].filter((name): name is UserId => name !== '*')
    session.watching ??= new Set()
    const { watching } = session
    if (watching.size + users.filter((user) => !watching.has(user)).length > WATCH_PER_SESSION) {
      throw new ProtocolError('bad_request', `at most ${WATCH_PER_SESSION} users can be watched`, {
        field: 'users',
      })
    }
    const all = watched.includes('*')
    // What is heard while the answer is read belongs into it, and not into a frame before it.
    const { heard, end } = this.#listen()
    try {
      const [read, total] = await Promise.all([
        users.length > 0 || !all ? this.#presence.of(users) : undefined,
        all ? this.#presence.countOnline() : undefined,
      ])
      if (all && session.state.is !== 'closed') this.#all.add(session)
      if (!read) return { total: total! }
      const online = new Set(read.on)
      const isOn = (user: UserId) => heard.get(user) ?? online.has(user)
      for (const user of users) this.#begin(session, user, isOn(user))
      const presence = { on: users.filter(isOn), off: users.filter((user) => !isOn(user)) }
      return total === undefined ? { presence } : { presence, total }
    } finally {
      end()
    }
  }

  /**
   * From here on a session is told of a user's changes, those after the state it is answered with. What was read may be
   * newer than what was heard, and its telling may have died with its node: then it counts as heard for all who watch,
   * or a change back would be none to them.
   */
  #begin(session: Session, user: UserId, on: boolean): void {
    if (session.state.is === 'closed') return
    session.watching?.add(user)
    const sessions = this.#watchers.get(user)
    if (sessions) sessions.add(session)
    else this.#watchers.set(user, new Set([session]))
    const known = this.#changes.get(user) ?? this.#known.get(user)
    if (known === undefined) this.#known.set(user, on)
    else if (known !== on) this.#note(new Map([[user, on]]))
    if (!this.#changes.has(user)) return
    const answered = this.#answered.get(user)
    if (answered) answered.set(session, on)
    else this.#answered.set(user, new Map([[session, on]]))
  }

  #unwatch(session: Session, watched: Iterable<Watched>): void {
    for (const name of watched) {
      if (name === '*') {
        this.#all.delete(session)
      } else if (session.watching?.delete(name)) {
        const sessions = this.#watchers.get(name)
        sessions?.delete(session)
        if (sessions?.size === 0) {
          this.#watchers.delete(name)
          this.#known.delete(name)
        }
      }
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#recount)
  }

  #hear(on: readonly UserId[], off: readonly UserId[]): void {
    const changes = new Map<UserId, boolean>()
    for (const user of on) changes.set(user, true)
    for (const user of off) changes.set(user, false)
    if (changes.size === 0) return
    for (const heard of this.#listening) for (const [user, on] of changes) heard.set(user, on)
    this.#note(changes)
  }

  /** Listens for the time of a reading. @returns who has changed since, and to what */
  #listen(): { heard: ReadonlyMap<UserId, boolean>; end: () => void } {
    const heard = new Map<UserId, boolean>()
    this.#listening.add(heard)
    return { heard, end: () => void this.#listening.delete(heard) }
  }

  /** Keeps changes for the tick that tells them. */
  #note(changes: ReadonlyMap<UserId, boolean>): void {
    for (const [user, on] of changes) this.#changes.set(user, on)
    this.#timer ??= setTimeout(() => this.#tick(), PRESENCE_MERGE_MS)
  }

  #tick(): void {
    this.#timer = undefined
    const changes = this.#changes
    const answered = this.#answered
    this.#changes = new Map()
    this.#answered = new Map()
    const frames = new Map<Session, { on: UserId[]; off: UserId[] }>()
    const tellsAll = this.#presence.total <= this.#watchAllMax
    for (const [user, on] of changes) {
      const sessions = this.#watchers.get(user)
      if (!sessions) continue
      const known = this.#known.get(user)
      this.#known.set(user, on)
      for (const session of sessions) {
        const had = answered.get(user)?.get(session) ?? known
        if (had === on || (tellsAll && this.#all.has(session))) continue
        const frame = frames.get(session) ?? { on: [], off: [] }
        frame[on ? 'on' : 'off'].push(user)
        frames.set(session, frame)
      }
    }
    for (const [session, frame] of frames) {
      const total = this.#all.has(session) ? { total: this.#presence.total } : {}
      sendIfReading(session, encodeFrame({ op: 'presence', ...frame, ...total }))
    }
    if (this.#all.size === 0) return
    this.#countSoon()
    if (tellsAll) this.#tellAll(changes)
  }

  /** One frame, serialised once, for all who watch everybody. */
  #tellAll(changes: ReadonlyMap<UserId, boolean>): void {
    const users = [...changes]
    this.#tellTotal(this.#presence.total, {
      on: users.flatMap(([user, on]) => (on ? [user] : [])),
      off: users.flatMap(([user, on]) => (on ? [] : [user])),
    })
  }

  #countSoon(): void {
    this.#recount ??= setTimeout(() => void this.#tellCount(), RECOUNT_MS)
  }

  /** A while after changes, they are counted: what was told between may be off by some. */
  async #tellCount(): Promise<void> {
    this.#recount = undefined
    if (this.#all.size === 0) return
    try {
      const total = await this.#presence.countOnline()
      if (total !== this.#toldTotal) this.#tellTotal(total, { on: [], off: [] })
    } catch (fault) {
      this.#log.debug({ err: fault }, 'watches: cannot count now')
    }
  }

  #tellTotal(total: number, changes: { on: UserId[]; off: UserId[] }): void {
    this.#toldTotal = total
    const frame = encodeFrame({ op: 'presence', ...changes, total })
    for (const session of this.#all) sendIfReading(session, frame)
  }

  /**
   * After a node's death changes may never have been told: what is known of watched users is compared anew, and for those who
   * watch everybody all are counted.
   */
  async #lookAgain(): Promise<void> {
    if (this.#all.size > 0) this.#countSoon()
    const users = [...this.#known.keys()]
    // What is heard meanwhile may be newer than what is read.
    const { heard, end } = this.#listen()
    try {
      const { on, off } = await this.#presence.of(users)
      const isOtherwise = (was: boolean) => (user: UserId) =>
        !heard.has(user) && this.#known.get(user) === was
      this.#hear(on.filter(isOtherwise(false)), off.filter(isOtherwise(true)))
    } catch (fault) {
      this.#log.debug({ err: fault }, 'watches: cannot look again now')
    } finally {
      end()
    }
  }
}

/** Presence is never in the way of messages: a session that is behind does without. */
function sendIfReading(session: Session, frame: string): void {
  if (session.connection.buffered() === 0) session.sendRaw(frame)
}
