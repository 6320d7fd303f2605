/**
 * The child processes and folders of this run. Whatever way the bench ends, none of them outlives it, except
 * when it is killed with SIGKILL itself: then the load generators still end, since their channel breaks.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const children = new Set<ChildProcess>()
const folders = new Set<string>()

/** Takes a child over: it is killed when the bench ends. @returns the child */
export function own<Child extends ChildProcess>(child: Child): Child {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** @returns a new folder, removed when the bench ends */
export function ownFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `starling-bench-${name}-`))
  folders.add(folder)
  return folder
}

/** Kills a child and waits for its end; may be called twice. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  folders.delete(folder)
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
