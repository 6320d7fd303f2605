/**
 * Children that don't outlive us. Who ends in good order ends its children by itself; for `kill -9` and crashes there is
 * one small process beside us (leash-holder.ts): it knows who is still running, and sees our end as the end of its input.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Writable } from 'node:stream'

let holder: Writable | undefined

function holderInput(): Writable {
  if (holder) return holder
  // A process group of its own: Ctrl-C in the terminal is not for it.
  const child = spawn(process.execPath, [join(import.meta.dirname, 'leash-holder.ts')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.unref()
  // Should somebody kill it, its children lose their leash and nothing else.
  child.stdin.on('error', () => {})
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  holder = child.stdin
  return holder
}

/** Ends `child`, at first with SIGTERM, should this process go without a chance to. */
export function leash<Child extends ChildProcess>(child: Child): Child {
  if (child.pid === undefined) return child
  holderInput().write(`+${child.pid}\n`)
  child.once('exit', () => holderInput().write(`-${child.pid}\n`))
  return child
}
