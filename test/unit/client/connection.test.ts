import { describe, expect, it } from 'vitest'
import {
  type Connection,
  type ConnectionEvent,
  type Effect,
  transition,
} from '../../../client/src/connection.ts'
import { CLOSE_CODES } from '../../../protocol/src/close.ts'

const from: Connection[] = [
  { state: 'disconnected' },
  { state: 'connecting', epoch: 3, attempt: 2 },
  { state: 'joining', epoch: 3, attempt: 2 },
  { state: 'syncing', epoch: 3, attempt: 2 },
  { state: 'live', epoch: 3, attempt: 2, since: 50_000 },
  { state: 'waiting', epoch: 3, attempt: 2 },
  { state: 'closed' },
]

const events: ConnectionEvent[] = [
  { type: 'connect' },
  { type: 'opened', epoch: 3 },
  { type: 'welcomed', epoch: 3 },
  { type: 'synced', epoch: 3, at: 60_000 },
  { type: 'goodbye', epoch: 3, returnAt: 64_000 },
  { type: 'lost', epoch: 3, at: 60_000, code: 1006 },
  { type: 'refused', epoch: 3 },
  { type: 'woken', epoch: 3 },
  { type: 'close' },
]

/** Every state (rows) and event (columns, as above): the next state, `-` for no change. */
const table: Record<Connection['state'], string> = {
  disconnected: 'connecting - - - - - - - closed',
  connecting: '- joining - - - waiting closed - closed',
  joining: '- - syncing - - waiting - - closed',
  syncing: '- - - live syncing waiting - - closed',
  live: '- - - - live waiting - - closed',
  waiting: '- - - - - - - connecting closed',
  closed: '- - - - - - - - -',
}

const effectsOf = (state: Connection, event: ConnectionEvent) =>
  transition(state, event)?.effects.map((effect) => effect.do)
const waitOf = (state: Connection, event: ConnectionEvent) =>
  transition(state, event)?.effects.find((effect): effect is Effect & { do: 'wait' } => effect.do === 'wait')
    ?.wait

describe('the states of a connection', () => {
  for (const state of from) {
    const row = table[state.state].split(' ')
    events.forEach((event, column) => {
      const to = row[column] === '-' ? undefined : row[column]
      it(`${event.type} in ${state.state}: ${to ?? 'nothing'}`, () => {
        const before = structuredClone(state)
        expect(transition(state, event)?.next.state).toBe(to)
        expect(state).toEqual(before)
      })
    })
  }

  it('drops what a line of another epoch says, in every state', () => {
    for (const state of from) {
      for (const event of events) {
        if ('epoch' in event) expect(transition(state, { ...event, epoch: 2 })).toBeUndefined()
      }
    }
  })

  it('does what each change needs, in this order', () => {
    const [disconnected, connecting, joining, , live, waiting] = from as [
      Connection,
      Connection,
      Connection,
      Connection,
      Connection,
      Connection,
    ]
    expect(effectsOf(disconnected, { type: 'connect' })).toEqual(['open'])
    expect(effectsOf(connecting, { type: 'opened', epoch: 3 })).toEqual(['hello'])
    expect(effectsOf(joining, { type: 'welcomed', epoch: 3 })).toEqual(['sync'])
    expect(effectsOf(live, { type: 'lost', epoch: 3, at: 0, code: 1006 })).toEqual(['drop', 'wait'])
    expect(effectsOf(live, { type: 'close' })).toEqual(['drop', 'end'])
    expect(effectsOf(waiting, { type: 'woken', epoch: 3 })).toEqual(['open'])
  })

  it('gives every line an epoch of its own', () => {
    expect(transition({ state: 'waiting', epoch: 3, attempt: 2 }, { type: 'woken', epoch: 3 })?.next).toEqual(
      {
        state: 'connecting',
        epoch: 4,
        attempt: 2,
      },
    )
  })
})

describe('after a lost line', () => {
  const live: Connection = { state: 'live', epoch: 3, attempt: 2, since: 50_000 }
  const lost = (code: number, more: object = {}): ConnectionEvent => ({
    type: 'lost',
    epoch: 3,
    at: 60_000,
    code,
    ...more,
  })

  for (const [text, { reconnect }] of Object.entries(CLOSE_CODES)) {
    const code = Number(text)
    it(`${code}: ${reconnect.when}`, () => {
      const next = transition(live, lost(code))
      if (reconnect.when === 'never') {
        expect(next?.next).toEqual({ state: 'closed' })
        expect(effectsOf(live, lost(code))).toEqual(['drop', 'end'])
        return
      }
      expect(next?.next).toEqual({ state: 'waiting', epoch: 3, attempt: 3 })
      expect(effectsOf(live, lost(code))?.includes('forgetToken')).toBe(reconnect.when === 'newToken')
      const exact =
        'ms' in reconnect ? { kind: 'exactly', ms: reconnect.ms } : { kind: 'backoff', attempt: 2 }
      expect(waitOf(live, lost(code))).toEqual(exact)
    })
  }

  it('treats a code that is not ours as a lost line', () => {
    expect(transition(live, lost(1000))?.why).toBe('line lost')
    expect(waitOf(live, lost(1000))).toEqual({ kind: 'backoff', attempt: 2 })
  })

  it('comes back when goodbye said, counted from the goodbye', () => {
    const leaving = transition(live, { type: 'goodbye', epoch: 3, returnAt: 64_000 })?.next as Connection
    expect(waitOf(leaving, lost(1012))).toEqual({ kind: 'exactly', ms: 4_000 })
    expect(waitOf(leaving, lost(1012, { at: 70_000 }))).toEqual({ kind: 'exactly', ms: 0 })
  })

  it('begins the back-off anew after a goodbye, however often one came lately', () => {
    const leaving = transition(live, { type: 'goodbye', epoch: 3, returnAt: 64_000 })?.next as Connection
    expect(transition(leaving, lost(1012))?.next).toEqual({ state: 'waiting', epoch: 3, attempt: 0 })
    const refused: Connection = { state: 'connecting', epoch: 3, attempt: 0 }
    expect(waitOf(refused, lost(1006))).toEqual({ kind: 'backoff', attempt: 0 })
  })

  it('obeys a retryIn', () => {
    expect(waitOf(live, lost(1006, { retryIn: 1_234 }))).toEqual({ kind: 'exactly', ms: 1_234 })
  })

  it('starts the back-off anew after a session that lasted, and only then', () => {
    expect(waitOf(live, lost(1006, { at: 80_000 }))).toEqual({ kind: 'backoff', attempt: 0 })
    expect(waitOf(live, lost(1006, { at: 79_999 }))).toEqual({ kind: 'backoff', attempt: 2 })
  })
})
