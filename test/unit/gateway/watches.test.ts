/** What watching sessions take a user for, whatever was read and heard in which order. Presence's answers are the test's. */
import type { UserId } from '@starling/protocol/ids'
import { PRESENCE_MERGE_MS, WATCH_PER_SESSION } from '@starling/protocol/limits'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Session } from '../../../src/gateway/session.ts'
import { Watches } from '../../../src/gateway/watches.ts'
import type { Presence } from '../../../src/services/presence.ts'

const alice = 'alice' as UserId

/** What is true in Redis. */
let online: Set<UserId>
/** While set, answers wait for it once they have been read. */
let gate: Promise<void> | undefined
let presence: Pick<Presence, 'of' | 'countOnline' | 'total' | 'onChange' | 'onDoubt'>
let watches: Watches

beforeEach(() => {
  vi.useFakeTimers()
  online = new Set()
  gate = undefined
  presence = {
    async of(users) {
      const [on, off] = [users.filter((user) => online.has(user)), users.filter((user) => !online.has(user))]
      await gate
      return { on, off }
    },
    async countOnline() {
      const { size } = online
      await gate
      return size
    },
    total: 0,
    onChange: () => {},
    onDoubt: () => {},
  }
  watches = new Watches({
    presence: presence as Presence,
    watchAllMax: 100,
    log: pino({ level: 'silent' }),
  })
})

afterEach(() => {
  watches.close()
  vi.useRealTimers()
})

/** A session, and what it was told by frames: `+alice` for on, `-alice` for off, `3 in all` for a total. */
function session() {
  const told: string[] = []
  const made = {
    state: { is: 'live' },
    connection: { buffered: () => 0 },
    sendRaw(frame: string) {
      const { on, off, total } = JSON.parse(frame) as { on: string[]; off: string[]; total?: number }
      told.push(...on.map((user) => `+${user}`), ...off.map((user) => `-${user}`))
      if (total !== undefined) told.push(`${total} in all`)
    },
  }
  return { session: made as unknown as Session, told }
}

/** Begins to watch alice. @returns whether the answer says that she is online */
async function takesForOnline(by: Session): Promise<boolean> {
  const { presence: answer } = await watches.watch(by, [alice])
  return answer!.on.includes(alice)
}

const tick = () => vi.advanceTimersByTime(PRESENCE_MERGE_MS)
const hear = (on: UserId[], off: UserId[]) => presence.onChange(on, off)

describe('[P5] who watches a user', () => {
  it('is told off, though the telling of on died with its node, and others had not heard of it', async () => {
    const [early, late] = [session(), session()]
    expect(await takesForOnline(early.session)).toBe(false)
    online.add(alice) // told to nobody
    expect(await takesForOnline(late.session)).toBe(true)
    tick()
    online.delete(alice)
    hear([], [alice])
    tick()
    expect(late.told).toEqual(['-alice'])
    expect(early.told).toEqual(['+alice', '-alice'])
  })

  it('is told off in the very tick of the answer, too', async () => {
    const [early, late] = [session(), session()]
    await takesForOnline(early.session)
    online.add(alice)
    expect(await takesForOnline(late.session)).toBe(true)
    hear([], [alice])
    tick()
    expect(late.told).toEqual(['-alice'])
    expect(early.told).toEqual([])
  })

  it('is told on, though what was heard before the answer was read said so already, then off', async () => {
    const [early, late] = [session(), session()]
    await takesForOnline(early.session)
    online.add(alice)
    hear([alice], [])
    online.delete(alice)
    expect(await takesForOnline(late.session)).toBe(false)
    online.add(alice)
    hear([alice], [])
    tick()
    expect(late.told).toEqual(['+alice'])
    expect(early.told).toEqual(['+alice'])
  })

  it('hears nothing twice when the telling comes after all', async () => {
    const [early, late] = [session(), session()]
    await takesForOnline(early.session)
    online.add(alice)
    await takesForOnline(late.session)
    tick()
    hear([alice], [])
    tick()
    expect(early.told).toEqual(['+alice'])
    expect(late.told).toEqual([])
  })

  it('is answered with what was heard while the answer was read', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const [early, late] = [session(), session()]
    await takesForOnline(early.session)
    gate = promise
    const answer = takesForOnline(late.session)
    online.add(alice)
    hear([alice], [])
    resolve()
    expect(await answer).toBe(true)
    tick()
    expect(early.told).toEqual(['+alice'])
    expect(late.told).toEqual([])
  })

  it('is told off once by a comparison that was read before she went', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const watcher = session()
    online.add(alice)
    await takesForOnline(watcher.session)
    gate = promise
    presence.onDoubt()
    online.delete(alice)
    hear([], [alice])
    tick()
    resolve()
    await vi.advanceTimersByTimeAsync(PRESENCE_MERGE_MS)
    expect(watcher.told).toEqual(['-alice'])
  })

  it('is told by a comparison what the telling of has died with its node', async () => {
    const watcher = session()
    online.add(alice)
    await takesForOnline(watcher.session)
    online.delete(alice)
    presence.onDoubt()
    await vi.advanceTimersByTimeAsync(PRESENCE_MERGE_MS)
    expect(watcher.told).toEqual(['-alice'])
  })

  it('is not answered with what was heard before, whatever else is heard meanwhile', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { session: watcher } = session()
    hear([], [alice])
    online.add(alice)
    gate = promise
    const answer = takesForOnline(watcher)
    hear(['bob' as UserId], [])
    resolve()
    expect(await answer).toBe(true)
  })
})

describe('[P5] a session', () => {
  it('watches whom it was told it does, though an earlier watch of the same user fails', async () => {
    const watcher = session()
    const { promise, reject } = Promise.withResolvers<void>()
    gate = promise
    const failing = expect(takesForOnline(watcher.session)).rejects.toThrow('no Redis')
    await vi.advanceTimersByTimeAsync(0)
    gate = undefined
    const second = takesForOnline(watcher.session)
    reject(new Error('no Redis'))
    await failing
    expect(await second).toBe(false)
    hear([alice], [])
    tick()
    expect(watcher.told).toEqual(['+alice'])
    watches.forget(watcher.session)
    hear([], [alice])
    tick()
    expect(watcher.told).toEqual(['+alice'])
  })

  it('is told of its users also where too many are online to tell of everybody', async () => {
    const watcher = session()
    await watches.watch(watcher.session, ['*', alice])
    presence = Object.assign(presence, { total: 101 })
    hear([alice, 'bob' as UserId], [])
    tick()
    expect(watcher.told).toEqual(['+alice', '101 in all'])
  })
})

describe('[P5] who watches everybody', () => {
  it('is told nothing who has taken it back before the answer', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const watcher = session()
    gate = promise
    const answer = watches.watch(watcher.session, ['*'])
    const over = watches.unwatch(watcher.session, ['*'])
    resolve()
    expect(await answer).toEqual({ total: 0 })
    await over
    hear([alice], [])
    tick()
    expect(watcher.told).toEqual([])
  })

  it('may watch as many users besides as anybody', async () => {
    const { session: watcher } = session()
    const crowd = Array.from({ length: WATCH_PER_SESSION }, (_, index) => `user-${index}` as UserId)
    await watches.watch(watcher, ['*'])
    await watches.watch(watcher, crowd)
    await expect(watches.watch(watcher, [alice])).rejects.toThrow(`at most ${WATCH_PER_SESSION} users`)
  })

  it('is told how many there are where changes may have been missed', async () => {
    const watcher = session()
    expect(await watches.watch(watcher.session, ['*'])).toEqual({ total: 0 })
    online.add(alice) // told to nobody
    presence.onDoubt()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(watcher.told).toEqual(['1 in all'])
  })
})
