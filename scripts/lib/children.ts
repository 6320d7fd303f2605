/** What every long-running child here needs: its end as a promise, its last words, a stop that can't hang. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { leash } from './leash.ts'

/** How many lines of output are kept to explain an unexpected end. */
const LAST_WORDS = 20

export interface Child {
  process: ChildProcessByStdio<null, Readable, Readable>
  /** The last lines of both outputs, or why it could not be started. */
  lastWords: string[]
  /** Resolves when it has ended and all its output has been read; never rejects. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/**
 * Starts a program in a process group of its own, so that a terminal's Ctrl-C leaves the order of ending to us.
 * `onLine` hears every line of both outputs.
 */
export function startChild(
  command: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; onLine?: (line: string) => void } = {},
): Child {
  const { onLine, ...rest } = options
  const child = leash(spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'], detached: true }))
  const lastWords: string[] = []
  const hear = (line: string) => {
    lastWords.push(line)
    if (lastWords.length > LAST_WORDS) lastWords.shift()
    onLine?.(line)
  }
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', hear)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', (fault) => hear(fault.message))
  })
  return { process: child, lastWords, ended }
}

/** Says SIGTERM, after `graceMs` SIGKILL, and waits for the end. For one that has ended already: nothing. */
export async function stopChild(child: Child, graceMs: number): Promise<void> {
  if (hasEnded(child.process)) return
  child.process.kill('SIGTERM')
  // One that was frozen (SIGSTOP) sees the signal only when it goes on.
  child.process.kill('SIGCONT')
  const timer = setTimeout(() => child.process.kill('SIGKILL'), graceMs)
  await child.ended
  clearTimeout(timer)
}

export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}
