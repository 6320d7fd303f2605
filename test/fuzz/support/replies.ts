/**
 * Which replies a client may count on, read from what it said. Written from the page, not with the gateway's own codec:
 * both can't be wrong in the same way.
 */
import type { ServerFrame } from '@starling/protocol/frames'
import type { Said } from './frames.ts'

const REF = /^[\x20-\x7e]{1,64}$/
const MAX_DEPTH = 32
const SILENT = new Set(['typing', 'received'])

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)))

/** @returns the op and ref of what will be answered by its ref */
function answerable(said: Said): { op: string; ref: string } | undefined {
  if (said.as !== 'text') return undefined
  let frame: unknown
  try {
    frame = JSON.parse(said.data)
  } catch {
    return undefined
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return undefined
  const { op, ref } = frame as { op?: unknown; ref?: unknown }
  if (typeof op !== 'string' || isDeeper(frame, MAX_DEPTH)) return undefined
  return typeof ref === 'string' && REF.test(ref) ? { op, ref } : undefined
}

/** How many replies each ref gets: at least, and at most. */
export type Expected = ReadonlyMap<string, { least: number; most: number }>

export function expectedReplies(all: readonly Said[]): Expected {
  const expected = new Map<string, { least: number; most: number }>()
  for (const said of all) {
    const asked = answerable(said)
    if (!asked) continue
    const { least, most } = expected.get(asked.ref) ?? { least: 0, most: 0 }
    expected.set(asked.ref, { least: least + (SILENT.has(asked.op) ? 0 : 1), most: most + 1 })
  }
  return expected
}

/** @returns how many replies came to each ref */
function countReplies(frames: readonly ServerFrame[]): ReadonlyMap<string, number> {
  const count = new Map<string, number>()
  for (const frame of frames) {
    if (frame.op === 'message' || frame.op === 'batch' || !('ref' in frame) || frame.ref === undefined)
      continue
    count.set(frame.ref, (count.get(frame.ref) ?? 0) + 1)
  }
  return count
}

/** @returns the refs that have had fewer replies than they must */
export function unanswered(expected: Expected, frames: readonly ServerFrame[]): string[] {
  const count = countReplies(frames)
  return [...expected].flatMap(([ref, { least }]) => ((count.get(ref) ?? 0) < least ? [ref] : []))
}

/** @returns the refs that have had more replies than they may, those nobody used among them */
export function overanswered(expected: Expected, frames: readonly ServerFrame[]): string[] {
  return [...countReplies(frames)].flatMap(([ref, got]) =>
    got > (expected.get(ref)?.most ?? 0) ? [ref] : [],
  )
}
