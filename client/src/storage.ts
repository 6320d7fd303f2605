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

/** What a name holds: positions, of which the last ones saved stand, and an outbox for each tab. */
type Shared = Omit<Saved, 'outbox'> & { outbox: Record<string, SavedDraft[]> }

/**
 * Keeps everything in `localStorage`. Tabs of one name share it, but for their outboxes: one that is opened takes over what
 * it finds of others, whether they are gone or not, since what is sent twice is stored once.
 * @param name one per user, where several use one browser; default `default`
 */
export function browserStorage(name = 'default'): PositionStorage {
  const key = `starling:${name}`
  const tab = randomText()
  /** The outboxes of others that this one goes on with, as they were found. */
  const taken = new Map<string, string>()
  return {
    load() {
      const text = localStorage.getItem(key)
      if (text === null) return undefined
      const found = JSON.parse(text) as Shared
      const outbox = once(Object.values(found.outbox).flat())
      for (const [other, drafts] of Object.entries(found.outbox)) taken.set(other, JSON.stringify(drafts))
      return { ...found, outbox }
    },
    save(saved) {
      const others = Object.entries(outboxesOf(localStorage.getItem(key), saved.user))
      const kept = others.filter(
        ([other, drafts]) => other !== tab && taken.get(other) !== JSON.stringify(drafts),
      )
      if (saved.outbox.length > 0) kept.push([tab, saved.outbox])
      const shared: Shared = { ...saved, outbox: Object.fromEntries(kept) }
      localStorage.setItem(key, JSON.stringify(shared))
    },
  }
}

/** Of a message that several tabs have, the one that was shown counts. */
function once(drafts: readonly SavedDraft[]): SavedDraft[] {
  const byRef = new Map<string, SavedDraft>()
  for (const draft of drafts) if (byRef.get(draft.ref)?.seen !== true) byRef.set(draft.ref, draft)
  return [...byRef.values()]
}

/** @returns the outboxes of this user that are kept, by tab; none where what is there makes no sense */
function outboxesOf(text: string | null, user: string): Shared['outbox'] {
  try {
    const found = JSON.parse(text ?? '{}') as Partial<Shared>
    return found.user === user ? { ...found.outbox } : {}
  } catch {
    return {}
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
