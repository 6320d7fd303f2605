/**
 * Names for requests. A send's ref is its dedupe key over all devices of the user, so it starts with what
 * nobody else has; the count behind it costs less than a UUID each.
 */
import { randomText } from './random-text.ts'

export type Refs = () => string

/** @returns a maker of refs, each different from those of all other makers */
export function createRefs(): Refs {
  const start = randomText()
  let count = 0
  return () => `${start}-${(count++).toString(36)}`
}
