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

/** What one tab has still to send. */
type Unsent = Pick<Saved, 'user' | 'outbox'>

const OUTBOX = 'starling-outbox:'

/**
 * Keeps everything in `localStorage`. Tabs of one name share the positions, of which the last ones saved stand. Each has an
 * outbox of its own, in an entry of its own, since no browser locks what two tabs write at the same time; one that is opened
 * takes over what it finds of others, whether they are gone or not: what is sent again is stored once.
 * @param name one per user, where several use one browser; default `default`
 */
export function browserStorage(name = 'default'): PositionStorage {
  const key = `starling:${name}`
  const own = `${OUTBOX}${randomText()}:${name}`
  /** The outboxes of others that this one goes on with, as they were found. */
  let taken = new Map<string, string>()
  /** The positions as this tab has found or written them last. */
  let known: string | undefined
  return {
    load() {
      const text = localStorage.getItem(key)
      if (text === null) return undefined
      const positions = JSON.parse(text) as Omit<Saved, 'outbox'>
      const found = new Map(outboxesOf(name).map((other) => [other, localStorage.getItem(other) ?? '']))
      const outbox = once([...found.values()].flatMap((left) => unsentOf(left, positions.user)))
      taken = found
      known = JSON.stringify(positions)
      return { ...positions, outbox }
    },
    save({ outbox, ...positions }) {
      const { user } = positions
      if (outbox.length > 0) localStorage.setItem(own, JSON.stringify({ user, outbox } satisfies Unsent))
      else localStorage.removeItem(own)
      // One that has changed belongs to a tab that is still there.
      for (const [other, text] of taken)
        if (other !== own && localStorage.getItem(other) === text) localStorage.removeItem(other)
      taken = new Map()
      const text = JSON.stringify(positions)
      // What has not changed here may be newer from another tab.
      if (text !== known) localStorage.setItem(key, text)
      known = text
    },
  }
}

/** @returns the entries in which tabs of this name keep what they have still to send */
function outboxesOf(name: string): string[] {
  const keys = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? '')
  return keys.filter(
    (key) => key.startsWith(OUTBOX) && key.slice(key.indexOf(':', OUTBOX.length) + 1) === name,
  )
}

/** @returns what is still to be sent of this user; nothing where what is there makes no sense */
function unsentOf(text: string, user: string): SavedDraft[] {
  try {
    const unsent = JSON.parse(text) as Unsent
    return unsent.user === user && Array.isArray(unsent.outbox) ? unsent.outbox : []
  } catch {
    return []
  }
}

/** Of a message that several tabs have, the one that was shown counts. */
function once(drafts: readonly SavedDraft[]): SavedDraft[] {
  const byRef = new Map<string, SavedDraft>()
  for (const draft of drafts) if (byRef.get(draft.ref)?.seen !== true) byRef.set(draft.ref, draft)
  return [...byRef.values()]
}

/** @returns this browser's device id, made on the first call and kept in `localStorage` */
export function browserDevice(): string {
  const key = 'starling-device'
  const known = localStorage.getItem(key)
  if (known !== null) return known
  const device = randomText()
  localStorage.setItem(key, device)
  return device
}
