/** Holds the leash for leash.ts: reads `+pid` and `-pid`; when that ends, whoever is left is stopped. */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long one may take to end well before it is killed, ms. */
const GRACE_MS = 5_000

const running = new Set<number>()

function signalAll(signal: NodeJS.Signals): void {
  for (const pid of running) {
    try {
      process.kill(pid, signal)
      // One that was stopped (SIGSTOP) would never see the signal above.
      process.kill(pid, 'SIGCONT')
    } catch {
      running.delete(pid)
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) running.add(pid)
  else running.delete(pid)
}
signalAll('SIGTERM')
if (running.size > 0) await sleep(GRACE_MS)
signalAll('SIGKILL')
