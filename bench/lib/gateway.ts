/**
 * One gateway as a process of its own, `node src/main.ts`, with its limits on senders out of the way.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { end, own } from './owned.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_WITHIN_MS = 20_000
const LOOK_AGAIN_MS = 50
const TAIL_CHARACTERS = 2_000

/** Documented settings: what protects a deployment from its clients must not be what is measured. */
const OPEN_LIMITS = {
  SEND_RATE: '1000000',
  SEND_BURST: '1000000',
  STRANGER_LIMIT: '0',
  CONNECT_RATE: '100000',
}

export interface GatewayProcess {
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

/**
 * Starts a gateway and waits until it is ready.
 * @param nodeOptions options of Node itself, for profiles
 * @throws Error with what it said last, where it does not become ready
 */
export async function startGateway(options: {
  name: string
  redisUrl: string
  jwtSecret: string
  nodeOptions?: readonly string[]
}): Promise<GatewayProcess> {
  const port = await freePort()
  const child = own(
    spawn(process.execPath, [...(options.nodeOptions ?? []), 'src/main.ts'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: String(port),
        NODE_NAME: options.name,
        REDIS_URL: options.redisUrl,
        JWT_SECRET: options.jwtSecret,
        LOG_LEVEL: 'warn',
        ...OPEN_LIMITS,
      },
    }),
  )
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (words: string) => {
      tail = (tail + words).slice(-TAIL_CHARACTERS)
    })
  }
  const hasExited = () => child.exitCode !== null || child.signalCode !== null
  await ready(child, port, () => `${options.name} is not ready: ${tail}`)
  return {
    name: options.name,
    port,
    pid: child.pid!,
    get tail() {
      return tail
    },
    get hasExited() {
      return hasExited()
    },
    residentBytes() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    },
    close: () => leave(child, options.nodeOptions !== undefined),
  }
}

/** A gateway that is profiled must end by itself, or its profile is never written. */
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
