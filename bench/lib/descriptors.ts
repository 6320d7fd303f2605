/** How many files a process here may have open: Node raises its soft limit to the hard one at its start. */
import { readFileSync } from 'node:fs'

export function descriptorLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024)
}
