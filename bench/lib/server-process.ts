/**
 * One server of a system under test, as a process of its own on a free port, ready when `/readyz` says so.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../scripts/lib/ports.ts'
import { end, own } from './owned.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_WITHIN_MS = 20_000
const LOOK_AGAIN_MS = 50
const TAIL_CHARACTERS = 2_000

export interface ServerProcess {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** The end of what it has written; empty while all is well. */
  readonly tail: string
  readonly hasExited: boolean
  /** Resident memory, bytes. */
  residentBytes(): number
  close(): Promise<void>
}

export interface ServerOptions {
  name: string
  /** From the root of the tree. */
  script: string
  /** Besides `HOST` and `PORT`. */
  env: Record<string, string>
  /** Options of Node itself, for profiles. */
  nodeOptions?: readonly string[]
  /** The tree it runs in, where it is not this one. */
  root?: string
}

/** Starts a server and waits until it is ready. @throws Error with what it said last, where it does not become ready */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { name, script, env, nodeOptions = [], root = ROOT } = options
  const port = await freePort()
  const child = own(
    spawn(process.execPath, [...nodeOptions, script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: String(port), ...env },
    }),
  )
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (words: string) => {
      tail = (tail + words).slice(-TAIL_CHARACTERS)
    })
  }
  const hasExited = () => child.exitCode !== null || child.signalCode !== null
  await ready(child, port, () => `${name} is not ready: ${tail}`)
  return {
    name,
    port,
    pid: child.pid!,
    get tail() {
      return tail
    },
    get hasExited() {
      return hasExited()
    },
    residentBytes: () => residentBytes(child.pid!),
    close: () => leave(child, nodeOptions.length > 0),
  }
}

/** @returns the resident memory of a process */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** One that is profiled must end by itself, or its profile is never written. */
async function leave(child: ChildProcess, isProfiled: boolean): Promise<void> {
  if (isProfiled && child.exitCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
  await end(child)
}

async function ready(child: ChildProcess, port: number, complaint: () => string): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(complaint())
    await sleep(LOOK_AGAIN_MS)
  }
}
