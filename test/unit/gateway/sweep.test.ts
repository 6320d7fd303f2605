/** Whose turn it is: everybody's within two seconds, whoever comes and goes meanwhile. The clock is the test's. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Session } from '../../../src/gateway/session.ts'
import { Sweep } from '../../../src/gateway/sweep.ts'

let sessions: Set<Session>
let sweep: Sweep
/** Names of those who were looked at. */
let looked: string[]
let closed: string[]
let late: Set<string>

const session = (name: string) =>
  ({
    openedAt: Date.now() + (name.charCodeAt(1) % 7),
    overdue() {
      looked.push(name)
      return late.has(name) ? 4002 : undefined
    },
    close(code: number) {
      closed.push(`${name} ${code}`)
      for (const one of sessions) if (one === this) sessions.delete(one)
    },
  }) as unknown as Session

beforeEach(() => {
  vi.useFakeTimers()
  sessions = new Set()
  looked = []
  closed = []
  late = new Set()
  sweep = new Sweep({ sessions, maxBufferBytes: 1 })
  sweep.start()
})

afterEach(() => {
  sweep.close()
  vi.useRealTimers()
})

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const names = Array.from({ length: 10 }, (_, n) => `s${n}`)

it('looks at everybody within 2 s, at some of them at a time', async () => {
  for (const name of names) sessions.add(session(name))
  await pass(500)
  expect(looked.length).toBeLessThan(names.length)
  await pass(1_500)
  expect(new Set(looked)).toEqual(new Set(names))
})

it('looks at those who come and forgets those who go', async () => {
  await pass(1_000)
  const gone = session('gone')
  sessions.add(gone)
  for (const name of names) sessions.add(session(name))
  sessions.delete(gone)
  await pass(500)
  sessions.add(session('newcomer'))
  await pass(2_000)
  expect(new Set(looked)).toEqual(new Set([...names, 'newcomer']))
})

it('closes who is overdue, and goes on with the next', async () => {
  for (const name of names) sessions.add(session(name))
  late = new Set(['s0', 's7'])
  await pass(2_500)
  expect(closed).toEqual(['s0 4002', 's7 4002'])
  expect(new Set(looked)).toEqual(new Set(names))
})

it('closes all who are overdue at once in one round, however many leave by it', async () => {
  const crowd = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(3, 'c'))
  for (const [n, name] of crowd.entries()) {
    sessions.add(session(name))
    if (n % 3 === 0) await pass(1)
  }
  late = new Set(crowd)
  await pass(2_000)
  expect(sessions.size).toBe(0)
})
