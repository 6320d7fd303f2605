/**
 * Leaving in good order: everybody is told when to come back, spread over the drain time so that the others aren't
 * stormed, and is closed then; sends are served until the last moment.
 */
import { setTimeout } from 'node:timers/promises'
import type { Session } from './session.ts'

const TICK_MS = 50
/** How long a close frame may be under way before the process ends, ms. */
const FLUSH_MS = 200

/** @param drainMs over how long to send clients away */
export async function drain(sessions: ReadonlySet<Session>, drainMs: number): Promise<void> {
  const start = performance.now()
  const leaving = [...sessions].map((session, index, all) => {
    const retryIn = Math.round((drainMs * (index + 1)) / all.length)
    session.send({ op: 'goodbye', reason: 'restart', retryIn })
    return { session, at: start + retryIn }
  })
  let next = 0
  while (next < leaving.length) {
    const now = performance.now()
    while (next < leaving.length && leaving[next]!.at <= now) leaving[next++]!.session.close(1012)
    await setTimeout(TICK_MS)
  }
  // Those who slipped in while the port was being closed.
  for (const session of sessions) session.close(1012)
  await setTimeout(FLUSH_MS)
}
