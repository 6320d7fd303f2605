/**
 * What a gateway would not even read: frames too large cost the connection, frames too deep get a reply
 * without a ref. Both are found out here, before they are sent.
 */
import { MAX_DEPTH } from '@starling/protocol/limits'

const utf8 = new TextEncoder()

/** @returns whether `text` is more than `limit` bytes of UTF-8 */
export function exceeds(text: string, limit: number): boolean {
  // No character takes more than 3 bytes per UTF-16 unit, so most texts need no look inside.
  return text.length * 3 > limit && (text.length > limit || utf8.encode(text).length > limit)
}

/** @returns whether a body makes its frame nest deeper than frames may */
export function isTooDeep(body: unknown): boolean {
  return isDeeperThan(body, MAX_DEPTH - 1)
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  return Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}
