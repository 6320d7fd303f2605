/** Waiting for what tells nobody when it is so. */
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 100

/**
 * Asks again and again; an error counts as no.
 * @param what for the message, as in "not within 5 s: what"
 * @returns the first answer that isn't undefined or false
 */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + withinMs
  let fault: unknown
  while (performance.now() < deadline) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      fault = error
    }
    await sleep(LOOK_EVERY_MS)
  }
  throw new Error(`not within ${withinMs / 1000} s: ${what}`, { cause: fault })
}
