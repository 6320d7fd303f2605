/**
 * One gateway as a process of its own: `node src/main.ts`, set by the environment alone. Starts it, waits until it is
 * ready, keeps what it wrote, ends it in every way a process can end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { leash } from '../../scripts/lib/leash.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_WITHIN_MS = 60_000
const TAIL_CHARACTERS = 4_000

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A run of `node src/main.ts`, whether or not it becomes a gateway. */
export class GatewayProcess {
  readonly exit: Promise<Exit>
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess

  constructor(env: Record<string, string>) {
    const child = spawn(process.execPath, ['src/main.ts'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = leash(child)
    this.#child.stdout?.setEncoding('utf8').on('data', (words: string) => {
      this.stdout += words
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (words: string) => {
      this.stderr += words
    })
    // `close` and not `exit`: all that was written has been read then.
    this.exit = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }) as Exit)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The last of what it wrote, for people who look for the reason of a failure. */
  get tail(): string {
    return `stderr: ${this.stderr.slice(-TAIL_CHARACTERS)}\nstdout: ${this.stdout.slice(-TAIL_CHARACTERS)}`
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

export interface GatewaySettings {
  name: string
  port: number
  tcpPort: number
  env: Record<string, string>
}

/** A gateway of a cluster, its settings from the environment (empty ones left out); its address stays the same over restarts. */
export class Gateway {
  readonly name: string
  readonly host: string
  readonly tcpPort: number
  readonly url: string
  readonly wsUrl: string
  readonly #env: Record<string, string>
  #process: GatewayProcess
  #earlierOutput = ''
  #isToldToEnd = false

  constructor({ name, port, tcpPort, env }: GatewaySettings) {
    this.name = name
    this.host = `127.0.0.1:${port}`
    this.tcpPort = tcpPort
    const secure = env['TLS_CERT'] ? 's' : ''
    this.url = `http${secure}://${this.host}`
    this.wsUrl = `ws${secure}://${this.host}/ws`
    const address = { HOST: '127.0.0.1', PORT: String(port), TCP_PORT: String(tcpPort), NODE_NAME: name }
    this.#env = Object.fromEntries(Object.entries({ ...address, ...env }).filter(([, value]) => value !== ''))
    this.#process = new GatewayProcess(this.#env)
  }

  /** Of this run. */
  get pid(): number {
    return this.#process.pid
  }

  /** Everything it has written, over all its runs. */
  get output(): string {
    return this.#earlierOutput + this.#process.stdout + this.#process.stderr
  }

  /** What this run has written to stdout. */
  get stdout(): string {
    return this.#process.stdout
  }

  /** The last of what this run has written, for the message of an assertion. */
  get tail(): string {
    return this.#process.tail
  }

  /** What it wrote last, where it has ended without having been told to; undefined where it runs or was ended. */
  get deathNote(): string | undefined {
    return this.#process.hasExited && !this.#isToldToEnd
      ? `${this.name} died:\n${this.#process.tail}`
      : undefined
  }

  /** The status of a plain GET. */
  async status(path: string): Promise<number> {
    return (await this.page(path)).status
  }

  /**
   * A plain GET, whoever has signed the certificate where there is one; on a connection of its own, since one that is kept may
   * end at the very moment it is used again.
   */
  page(path: string): Promise<{ status: number; words: string }> {
    return new Promise((resolve, reject) => {
      const options = { agent: false, rejectUnauthorized: false, timeout: 5_000 }
      const get = this.url.startsWith('https') ? httpsGet : httpGet
      const request = get(this.url + path, options, (answer) => {
        text(answer).then((words) => resolve({ status: answer.statusCode ?? 0, words }), reject)
      })
      request.on('timeout', () => request.destroy(new Error(`no answer from ${path}`)))
      request.on('error', reject)
    })
  }

  /** Waits until `/readyz` says 200. */
  async ready(withinMs = START_WITHIN_MS): Promise<void> {
    const deadline = Date.now() + withinMs
    let last: unknown
    while (Date.now() < deadline) {
      if (this.#process.hasExited) break
      last = await this.status('/readyz').catch((error: unknown) => error)
      if (last === 200) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`${this.name} is not ready (last answer: ${last})\n${this.#process.tail}`)
  }

  /** Sends a signal that ends it, and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.#isToldToEnd = true
    this.#process.signal(signal)
    return this.#process.exit
  }

  /** Ends it as an operator does: SIGTERM, which drains. Not waited for when `exit` is looked at later. */
  stop(): Promise<Exit> {
    return this.kill('SIGTERM')
  }

  /** Freezes the process; the kernel keeps its connections. */
  pause(): void {
    this.#process.signal('SIGSTOP')
  }

  resume(): void {
    this.#process.signal('SIGCONT')
  }

  /** Starts it again at the same address, after it has ended, and waits until it is ready. */
  async restart(): Promise<void> {
    await this.#process.exit
    this.#earlierOutput += this.#process.stdout + this.#process.stderr
    this.#process = new GatewayProcess(this.#env)
    this.#isToldToEnd = false
    await this.ready()
  }
}
