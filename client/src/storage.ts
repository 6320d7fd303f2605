/**
 * What survives a reload: positions and the outbox of one user on one device, and the browser's places for
 * them. When it is saved is the client's business.
 */
import type { UserBody } from '@starling/protocol/frames'
import { randomText } from './random-text.ts'

/** A message of the outbox at rest. */
export interface SavedDraft {
  ref: string
  to: string
  body: UserBody
  reply?: string
  mentions?: readonly string[]
  /** It was shown, though its ack had not come. */
  seen?: true
}

export interface Saved {
  /** Whose it is; another user starts afresh. */
  user: string
  inbox?: string
  /** The last message known, by group and channel. */
  convs: [conv: string, id: string][]
  /** The newest dms: their last message known, and what was missing before it, as ranges of seqs. */
  dms?: SavedDm[]
  outbox: SavedDraft[]
}

export type SavedDm = [conv: string, id: string, holes: [first: number, last: number][]]

/** Loads once, saves at most once a second. What it throws goes to the client's `error` event. */
export interface PositionStorage {
  load(): Saved | undefined | Promise<Saved | undefined>
  save(saved: Saved): void | Promise<void>
}

/**
 * Keeps everything in `localStorage`. Tabs of one name share it: the last one to save wins, which costs nothing,
 * since what comes twice is dropped by id and what is sent twice by ref.
 * @param name one per user, where several use one browser; default `default`
 */
export function browserStorage(name = 'default'): PositionStorage {
  const key = `starling:${name}`
  return {
    load() {
      const text = localStorage.getItem(key)
      return text === null ? undefined : (JSON.parse(text) as Saved)
    },
    save(saved) {
      localStorage.setItem(key, JSON.stringify(saved))
    },
  }
}

/** @returns this browser's device id, made on the first call and kept in `localStorage` */
export function browserDevice(): string {
  const key = 'starling:device'
  const known = localStorage.getItem(key)
  if (known !== null) return known
  const device = randomText()
  localStorage.setItem(key, device)
  return device
}
