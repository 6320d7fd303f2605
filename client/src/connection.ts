/**
 * The states of a client's connection and how one becomes the next. Pure: `transition` says what is to be
 * done, link.ts does it. An epoch counts the lines tried; what a former line still has to say carries its
 * epoch and changes nothing.
 */
import { CLOSE_CODES, type CloseCode, reconnectAfter } from '@starling/protocol/close'
import type { Wait } from './reconnect.ts'

export type ConnectionState = Connection['state']

/**
 * `attempt`: lines lost in a row without a session that lasted, or that was ended by a goodbye. `returnAt`: its word.
 */
export type Connection =
  | { state: 'disconnected' }
  | { state: 'connecting'; epoch: number; attempt: number }
  | { state: 'joining'; epoch: number; attempt: number }
  | { state: 'syncing'; epoch: number; attempt: number; returnAt?: number }
  | { state: 'live'; epoch: number; attempt: number; since: number; returnAt?: number }
  | { state: 'waiting'; epoch: number; attempt: number }
  | { state: 'closed' }

/** Times are Unix ms of the client's clock. */
export type ConnectionEvent =
  | { type: 'connect' }
  /** The socket is open. */
  | { type: 'opened'; epoch: number }
  | { type: 'welcomed'; epoch: number }
  /** Everything since the last session has come. */
  | { type: 'synced'; epoch: number; at: number }
  | { type: 'goodbye'; epoch: number; returnAt: number }
  /** The line has ended, or can't be had. `retryIn`: ms, where the server has said when to come back. */
  | { type: 'lost'; epoch: number; at: number; code: number; retryIn?: number; why?: string }
  /** No token is to be had, and asking again won't help. */
  | { type: 'refused'; epoch: number }
  /** The wait is over. */
  | { type: 'woken'; epoch: number }
  | { type: 'close' }

export type Effect =
  /** Get a token and open a line. */
  | { do: 'open'; epoch: number }
  | { do: 'hello' }
  /** Ask for what was missed, and on with what waits for a session. */
  | { do: 'sync' }
  /** Whatever is left of the line is over: its timers, its requests, its socket. */
  | { do: 'drop' }
  /** The server doesn't take the token: get another. */
  | { do: 'forgetToken' }
  | { do: 'wait'; epoch: number; wait: Wait }
  /** Nothing will be tried again. */
  | { do: 'end' }

export interface Transition {
  next: Connection
  effects: Effect[]
  /** For people. */
  why: string
}

/** A session that lasted this long was a good one: the back-off starts anew. */
const GOOD_SESSION_MS = 30_000

/** @returns where an event leads, or undefined where it changes nothing */
export function transition(from: Connection, event: ConnectionEvent): Transition | undefined {
  switch (event.type) {
    case 'connect':
      if (from.state !== 'disconnected') return undefined
      return {
        next: { state: 'connecting', epoch: 1, attempt: 0 },
        effects: [{ do: 'open', epoch: 1 }],
        why: 'connect',
      }
    case 'opened':
      if (from.state !== 'connecting' || from.epoch !== event.epoch) return undefined
      return { next: { ...from, state: 'joining' }, effects: [{ do: 'hello' }], why: 'open' }
    case 'welcomed':
      if (from.state !== 'joining' || from.epoch !== event.epoch) return undefined
      return { next: { ...from, state: 'syncing' }, effects: [{ do: 'sync' }], why: 'welcome' }
    case 'synced':
      if (from.state !== 'syncing' || from.epoch !== event.epoch) return undefined
      return { next: { ...from, state: 'live', since: event.at }, effects: [], why: 'synced' }
    case 'goodbye':
      if ((from.state !== 'syncing' && from.state !== 'live') || from.epoch !== event.epoch) return undefined
      return { next: { ...from, returnAt: event.returnAt }, effects: [], why: 'goodbye' }
    case 'lost':
      return lost(from, event)
    case 'refused':
      if (from.state !== 'connecting' || from.epoch !== event.epoch) return undefined
      return { next: { state: 'closed' }, effects: [{ do: 'drop' }, { do: 'end' }], why: 'no token' }
    case 'woken': {
      if (from.state !== 'waiting' || from.epoch !== event.epoch) return undefined
      const epoch = from.epoch + 1
      return {
        next: { state: 'connecting', epoch, attempt: from.attempt },
        effects: [{ do: 'open', epoch }],
        why: 'wait over',
      }
    }
    case 'close':
      if (from.state === 'closed') return undefined
      return { next: { state: 'closed' }, effects: [{ do: 'drop' }, { do: 'end' }], why: 'close' }
  }
}

/** The close table, applied: never again, or a wait and which token to come back with. */
function lost(from: Connection, event: ConnectionEvent & { type: 'lost' }): Transition | undefined {
  if (from.state === 'disconnected' || from.state === 'waiting' || from.state === 'closed') return undefined
  if (from.epoch !== event.epoch) return undefined
  const why = event.why ?? closeName(event.code)
  const rule = reconnectAfter(event.code)
  if (rule.when === 'never') {
    return { next: { state: 'closed' }, effects: [{ do: 'drop' }, { do: 'end' }], why }
  }
  const wasGood = from.state === 'live' && event.at - from.since >= GOOD_SESSION_MS
  const returnAt = from.state === 'syncing' || from.state === 'live' ? from.returnAt : undefined
  // Who was asked to go has met no trouble yet: should the first line afterwards fail, another soon follows.
  const attempt = returnAt !== undefined ? 0 : (wasGood ? 0 : from.attempt) + 1
  const effects: Effect[] = [{ do: 'drop' }, { do: 'wait', epoch: from.epoch, wait: waitOf() }]
  if (rule.when === 'newToken') effects.unshift({ do: 'forgetToken' })
  return { next: { state: 'waiting', epoch: from.epoch, attempt }, effects, why }

  function waitOf(): Wait {
    if (event.retryIn !== undefined) return { kind: 'exactly', ms: event.retryIn }
    if (rule.when === 'after') return { kind: 'exactly', ms: rule.ms }
    if (returnAt !== undefined) return { kind: 'exactly', ms: Math.max(0, returnAt - event.at) }
    return { kind: 'backoff', attempt: attempt - 1 }
  }
}

/** @returns a close code's name; one that isn't ours counts as a lost line */
export function closeName(code: number): string {
  return code in CLOSE_CODES ? CLOSE_CODES[code as CloseCode].name : CLOSE_CODES[1006].name
}
