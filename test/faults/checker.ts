/**
 * The judge: a history in, everything in it that breaks a promise (docs/protocol.md §7) out. Pure; it knows nothing of
 * faults, and what it is given is all it believes.
 */
import { judgeDeliveries } from './check/deliveries.ts'
import { gather } from './check/facts.ts'
import { judgePresence } from './check/presence.ts'
import { judgeSends } from './check/sends.ts'
import type { History, Violation } from './history.ts'

export function check(history: History): Violation[] {
  const facts = gather(history)
  return [...judgeSends(facts), ...judgeDeliveries(facts), ...judgePresence(history)]
}
