/**
 * One trial: gateways on a Redis, clients with a steady load, a fault that does its thing, and the judgement when all is
 * quiet again. What the fault is, its own file says; what is right, the checker.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { groupConv } from '@starling/protocol/ids'
import { freePort } from '../../../scripts/lib/ports.ts'
import { Gateway } from '../../support/harness-gateway.ts'
import { signToken } from '../../support/harness-jwt.ts'
import { check } from '../checker.ts'
import { type History, nowMs, type Seen, type Trouble, type Violation } from '../history.ts'
import type { Device } from '../load/device.ts'
import { ask, type HttpAccess, loadHistory } from '../load/history-api.ts'
import { Load } from '../load/load.ts'
import type { PopulationSize } from '../load/population.ts'
import { seen } from '../load/recorder.ts'
import { broughtSince, type Figure, figuresOf } from './figures.ts'
import type { RedisUnderTest } from './redis.ts'

export interface TrialOptions {
  redis: RedisUnderTest
  /** How many gateways; 3 where not given. */
  gateways?: number
  env?: Record<string, string>
  /** Settings of one gateway beyond, by its number from 0. */
  envOf?: (number: number) => Record<string, string>
  size: PopulationSize
  /** Messages a second. */
  rate?: number
  /** Messages that must have been acked in the end. */
  messages: number
}

export interface Result {
  history: History
  figures: Figure[]
  violations: Violation[]
  /** What the fault itself found wrong, and clients that never came to rest. */
  faults: string[]
}

const RATE = 400
/** All must be connected and settled so long after the last fault, ms. */
const SETTLE_MS = 90_000
/** How many messages a second the rest of the load may take at least. */
const SLOWEST_RATE = 60
/** Users who leave at the end, so that presence has something to tell. */
const LEAVERS = 20
/** [P5]: their going is told so soon, and that of a dead node's sessions. */
const OFFLINE_MS = 5_000
const LEASE_MS = 20_000
const LOOK_MS = 50
const TOKEN_HOURS = 24

export class Trial {
  readonly gateways: Gateway[]
  readonly load: Load
  readonly access: HttpAccess
  readonly #options: TrialOptions
  readonly #troubles: Trouble[] = []
  readonly #faults: string[] = []
  readonly #figures: Figure[] = []
  readonly #startedAt = nowMs()
  readonly #apiKey: string

  /** Starts everything; when it resolves the load is running. */
  static async start(options: TrialOptions): Promise<Trial> {
    const { redis, gateways: count = 3, env = {}, envOf = () => ({}) } = options
    const [jwtSecret, apiKey] = [randomBytes(32).toString('hex'), randomBytes(24).toString('hex')]
    const common = {
      REDIS_URL: redis.url,
      KEY_PREFIX: `t${randomBytes(4).toString('hex')}:`,
      JWT_SECRET: jwtSecret,
      API_KEY: apiKey,
      STRANGER_LIMIT: '0',
      DRAIN_SECONDS: '5',
      ...env,
    }
    const gateways: Gateway[] = []
    for (let number = 0; number < count; number++) {
      const [port, tcpPort] = [await freePort(), await freePort()]
      gateways.push(
        new Gateway({ name: `gw-${number + 1}`, port, tcpPort, env: { ...common, ...envOf(number) } }),
      )
    }
    const trial = new Trial(options, gateways, jwtSecret, apiKey)
    try {
      await Promise.all(gateways.map((gateway) => gateway.ready()))
      await trial.load.prepare()
    } catch (fault) {
      await trial.close()
      throw fault
    }
    trial.load.start()
    return trial
  }

  private constructor(options: TrialOptions, gateways: Gateway[], jwtSecret: string, apiKey: string) {
    this.#options = options
    this.#apiKey = apiKey
    this.gateways = gateways
    const tokens = new Map<string, string>()
    const exp = Math.floor(Date.now() / 1000) + TOKEN_HOURS * 3600
    this.access = {
      urls: gateways.map(({ url }) => url),
      token: (user) => {
        const token = tokens.get(user) ?? signToken({ sub: user, exp }, jwtSecret)
        tokens.set(user, token)
        return token
      },
    }
    const { size, rate = RATE } = options
    this.load = new Load({ access: this.access, size, rate })
  }

  /** Notes a number for the report. */
  figure(name: string, value: number | string, unit = ''): void {
    this.#figures.push({ name, value, unit })
  }

  /** Notes that something the fault itself looks at isn't as promised. */
  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#faults.push(otherwise)
  }

  /** While this runs, what presence stands on is broken: its promises count from the end. */
  async trouble(work: () => Promise<void>): Promise<void> {
    const from = nowMs()
    try {
      await work()
    } finally {
      this.#troubles.push({ from, until: nowMs() })
    }
  }

  /** Kills a gateway as the kernel does. */
  async kill(gateway: Gateway): Promise<void> {
    const killed = gateway.kill('SIGKILL')
    this.load.recorder.add({ is: 'death', node: gateway.name })
    await killed
  }

  async allReady(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.ready()))
  }

  /** One value of a gateway's `/metrics`. @returns 0 where it isn't there */
  async metric(gateway: Gateway, name: string): Promise<number> {
    const { words: page } = await gateway.page('/metrics')
    const line = page.split('\n').find((words) => words.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1) ?? 0)
  }

  /** Lets everything come to rest, looks at who has what, and judges. */
  async finish(): Promise<Result> {
    const { messages } = this.#options
    const { load } = this
    await this.allReady()
    const missing = messages - load.recorder.acked
    if (missing > 0)
      await load.acked(messages, (missing / SLOWEST_RATE) * 1e3).catch((fault) => this.#fail(fault))
    load.stop()
    for (const late of await load.settled(SETTLE_MS))
      this.#faults.push(`${describe(late)} never came to rest`)
    const lastSyncAt = nowMs()
    await load.syncAll()
    await this.#leave()
    const online = await this.#online()
    const history = await this.#history(online)
    const violations = check(history)
    this.figure('of them only the last sync brought', broughtSince(history, lastSyncAt))
    return {
      history,
      figures: [...figuresOf(history), ...this.#figures, seconds(nowMs() - this.#startedAt)],
      violations,
      faults: this.#faults,
    }
  }

  /** Ends everything. May be called twice. */
  async close(): Promise<void> {
    await this.load.close()
    await Promise.all(this.gateways.map((gateway) => gateway.kill('SIGKILL')))
  }

  #fail(fault: unknown): void {
    this.#faults.push(fault instanceof Error ? fault.message : String(fault))
  }

  /** Some users go, one half in good order; then presence has the time it is promised. */
  async #leave(): Promise<void> {
    const { users } = this.load.population
    const leaving = new Set(users.slice(users.length / 2, users.length / 2 + LEAVERS))
    const theirs = this.load.devices.filter(({ info }) => leaving.has(info.user))
    const rudely = theirs.map(({ tap }, n) => (n % 2 === 0 ? tap.socket : undefined))
    const leftAt = nowMs()
    for (const socket of rudely) socket?.terminate()
    await Promise.all(theirs.map((device) => device.close()))
    // Sessions of a node that has died go with its lease, and nobody else's with them.
    const lastDeath = this.load.recorder.records.findLast(({ is }) => is === 'death')?.at ?? 0
    await sleep(Math.max(0, lastDeath + LEASE_MS - nowMs()))
    while (nowMs() < leftAt + OFFLINE_MS && !this.#isTold(leaving, leftAt)) await sleep(LOOK_MS)
  }

  /** Whether all who watch have been told that these are off. */
  #isTold(users: ReadonlySet<string>, since: number): boolean {
    const { recorder, watchers } = this.load
    const untold = new Map(watchers.map(({ info }) => [info.id, new Set(users)]))
    for (const record of recorder.records.slice(recorder.records.findLastIndex(({ at }) => at < since) + 1)) {
      if (record.is === 'presence') for (const user of record.off) untold.get(record.client)?.delete(user)
    }
    return [...untold.values()].every(({ size }) => size === 0)
  }

  async #online(): Promise<Set<string>> {
    const { users } = this.load.population
    const online = new Set<string>()
    for (let at = 0; at < users.length; at += 50) {
      const path = `/presence?users=${users.slice(at, at + 50).join(',')}`
      const { body } = await ask<{ presence: { on: string[] } }>(this.access, users[0]!, path)
      for (const user of body.presence.on) online.add(user)
    }
    return online
  }

  async #history(online: ReadonlySet<string>): Promise<History> {
    const { load, access } = this
    const readers = new Map<string, string>()
    for (const user of load.population.users) for (const conv of load.convsOf(user)) readers.set(conv, user)
    for (const [id, [owner]] of load.groups) readers.set(groupConv(id), owner!)
    const logs = new Map<string, readonly Seen[]>()
    const queue = [...readers]
    const reader = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) {
        const [conv, user] = next
        const log = await loadHistory(access, user, conv, '0-0')
        if (log === undefined) this.#faults.push(`the log of ${conv} can't be read`)
        logs.set(conv, (log ?? []).map(seen))
      }
    }
    await Promise.all(Array.from({ length: 6 }, reader))
    return {
      clients: load.devices.map(({ info }) => info),
      records: load.recorder.records,
      logs,
      heads: load.heads ?? new Map(),
      members: new Map([...load.groups].map(([id, members]) => [groupConv(id), members])),
      troubles: this.#troubles,
      watched: load.population.users,
      online,
      endedAt: nowMs(),
    }
  }

  get apiKey(): string {
    return this.#apiKey
  }
}

const seconds = (ms: number): Figure => ({ name: 'took', value: Math.round(ms / 1e3), unit: 's' })
const describe = ({ info, live, pending }: Device) =>
  `${info.id} (${live ? 'live' : 'not live'}, ${pending} unsettled)`
