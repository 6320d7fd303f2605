/**
 * One gateway of a local cluster, kept alive: started, waited for, started again with back-off when it dies, drained
 * when it is to end. Only one that can't live (wrong settings, or it never came up) is given up.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, hasEnded, startChild, stopChild } from './children.ts'
import { showLogLine } from './log-line.ts'
import { UserError } from './user-error.ts'

export interface GatewayOptions {
  name: string
  /** Where it is reached, such as http://127.0.0.1:8080. */
  url: string
  command: [string, ...string[]]
  /** Its whole environment. */
  env: NodeJS.ProcessEnv
  /** How long its drain may take before it is killed, ms. */
  drainMs: number
  /** Show all of its log, not only warnings. */
  verbose: boolean
}

/** From starting to being ready, ms. */
const READY_MS = 30_000
const ASK_EVERY_MS = 100

/** Back-off between two starts, ms; one that has lived for longer than the longest starts anew with the shortest. */
const SHORTEST_MS = 500
const LONGEST_MS = 30_000

/** The exit code that says: my settings are wrong. */
const WRONG_SETTINGS = 2

export class LocalGateway {
  readonly #options: GatewayOptions
  readonly #leaving = new AbortController()
  #child: Child | undefined

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  get url(): string {
    return this.#options.url
  }

  /**
   * Starts it and waits until it is ready; from then on it is kept alive.
   * @throws UserError with its last words, when it ends or is not ready in time
   */
  async start(): Promise<void> {
    const { name } = this.#options
    const child = this.#spawn()
    const ended = child.ended.then(({ code, signal }) => {
      throw new UserError(`${name} ended (${signal ?? `exit code ${code}`}):\n${child.lastWords.join('\n')}`)
    })
    const late = () => {
      throw new UserError(`${name} was not ready within ${READY_MS / 1000} s:\n${child.lastWords.join('\n')}`)
    }
    if (!(await Promise.race([this.#isReady(), ended]))) late()
    void this.#keepAlive(child)
  }

  /** Drains it, and kills it when that takes too long. May be called at any time, and twice. */
  async stop(): Promise<void> {
    this.#leaving.abort()
    if (this.#child) await stopChild(this.#child, this.#options.drainMs)
  }

  kill(): void {
    this.#leaving.abort()
    if (this.#child && !hasEnded(this.#child.process)) this.#child.process.kill('SIGKILL')
  }

  #spawn(): Child {
    const { name, command, env, verbose } = this.#options
    const [program, ...args] = command
    const onLine = (line: string) => {
      const shown = showLogLine(name, line, verbose)
      // On its way out it may well complain, of a Redis that is gone for one: that is no news.
      if (shown && (verbose || !this.#leaving.signal.aborted)) console.log(shown)
    }
    this.#child = startChild(program, args, { env, onLine })
    return this.#child
  }

  async #isReady(): Promise<boolean> {
    const deadline = Date.now() + READY_MS
    while (Date.now() < deadline && !this.#leaving.signal.aborted) {
      const answer = await fetch(`${this.#options.url}/readyz`).catch(() => undefined)
      if (answer?.ok) return true
      await sleep(ASK_EVERY_MS)
    }
    return false
  }

  async #keepAlive(first: Child): Promise<void> {
    const { name } = this.#options
    const { signal: leaving } = this.#leaving
    let child = first
    let waitMs = SHORTEST_MS
    for (;;) {
      const since = Date.now()
      const { code, signal } = await child.ended
      if (leaving.aborted) return
      if (Date.now() - since > LONGEST_MS) waitMs = SHORTEST_MS
      const how = signal ?? `exit code ${code}`
      if (code === WRONG_SETTINGS)
        return console.error(`${name} ended (${how}) and stays away: its settings are wrong.`)
      console.error(`${name} ended (${how}); it starts again in ${waitMs / 1000} s.`)
      await sleep(waitMs, undefined, { signal: leaving }).catch(() => {})
      if (leaving.aborted) return
      waitMs = Math.min(waitMs * 2, LONGEST_MS)
      child = this.#spawn()
    }
  }
}
