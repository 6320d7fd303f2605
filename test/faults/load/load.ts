/**
 * The load: all clients of a run, and a steady stream of messages between them. Nobody has more than a few messages
 * waiting, so that a fault isn't followed by a flood of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { dmOf, groupConv } from '@starling/protocol/ids'
import type { Device } from './device.ts'
import { ask, type HttpAccess } from './history-api.ts'
import { CHANNEL, convsOf, type Population, type PopulationSize, populate } from './population.ts'
import { RawDevice } from './raw-device.ts'
import { Recorder } from './recorder.ts'
import { SdkDevice } from './sdk-device.ts'

const TICK_MS = 25
/** A client with so many unsettled sends writes nothing more. */
const PENDING = { sdk: 4, raw: 8 }
/** So many of the first clients watch all users. */
export const WATCHERS = 3
/** Of 100 messages so many go to one user, to a group; the rest to the channel. */
const MIX = { user: 66, group: 33 }

export interface LoadOptions {
  access: HttpAccess
  size: PopulationSize
  /** Messages a second, all users together. */
  rate: number
}

export class Load {
  readonly population: Population
  readonly recorder = new Recorder()
  readonly devices: Device[] = []
  /** Group id → members at the start. */
  readonly groups = new Map<string, string[]>()
  /** The heads at the start, once it has begun. */
  heads: Map<string, string> | undefined
  rate: number
  /** Length of texts; a few words where not set. */
  textLength = 0
  readonly #access: HttpAccess
  readonly #groupsOf = new Map<string, string[]>()
  /** dms that only a fault has begun, by user. */
  readonly #further = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined
  #due = 0
  #refs = 0

  constructor({ access, size, rate }: LoadOptions) {
    this.#access = access
    this.rate = rate
    this.population = populate(size)
  }

  get sdk(): SdkDevice[] {
    return this.devices.filter((device) => device instanceof SdkDevice)
  }

  get watchers(): SdkDevice[] {
    return this.sdk.slice(0, WATCHERS)
  }

  /** Makes the groups, connects everybody, and lets the first ones watch all. */
  async prepare(): Promise<void> {
    await Promise.all(
      this.population.groups.map(async ([owner, ...members], n) => {
        const made = await ask<{ id: string }>(this.#access, owner!, '/groups', {
          method: 'POST',
          body: { name: `group ${n}`, members },
        })
        if (made.status !== 201) throw new Error(`no group: ${JSON.stringify(made)}`)
        this.groups.set(made.body.id, [owner!, ...members])
      }),
    )
    for (const [id, members] of this.groups) {
      for (const user of members) this.#groupsOf.set(user, [...(this.#groupsOf.get(user) ?? []), id])
    }
    for (const info of this.population.clients) this.add(info)
    for (const device of this.devices) device.connect()
    await this.settled(60_000)
    const { users } = this.population
    await Promise.all(
      this.watchers.map(async (device) => {
        for (let at = 0; at < users.length; at += 200) await device.watch(users.slice(at, at + 200))
      }),
    )
    this.heads = await this.#readHeads()
  }

  /** A further client; the caller connects it. */
  add(info: Device['info']): Device {
    const options = {
      info,
      access: this.#access,
      recorder: this.recorder,
      readable: () => {
        const { heads } = this
        if (heads === undefined) return undefined
        return new Map(
          this.convsOf(info.user).map((conv): [string, string] => [conv, heads.get(conv) ?? '0-0']),
        )
      },
    }
    const device = info.kind === 'sdk' ? new SdkDevice(options) : new RawDevice(options)
    this.devices.push(device)
    return device
  }

  convsOf(user: string): string[] {
    return [...new Set([...convsOf(user, this.population, this.groups), ...(this.#further.get(user) ?? [])])]
  }

  start(): void {
    let last = performance.now()
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#due = Math.min(this.rate / 4, this.#due + ((now - last) / 1e3) * this.rate)
      last = now
      for (; this.#due >= 1; this.#due--) this.#sendOne()
    }, TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Sends one message from a client to a target of its user; `length` characters at least. */
  send(device: Device, to: string, length = this.textLength): void {
    const ref = `${device.info.id}.${++this.#refs}`
    if (to.startsWith('user:')) {
      const peer = to.slice('user:'.length)
      for (const user of [device.info.user, peer]) {
        const convs = this.#further.get(user)
        const conv = dmOf(device.info.user, peer)
        if (convs) convs.add(conv)
        else this.#further.set(user, new Set([conv]))
      }
    }
    device.send(to, ref.padEnd(length, ` ${this.#refs}`), ref)
  }

  /** Waits until so many messages have been acked. */
  async acked(count: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    while (this.recorder.acked < count) {
      if (performance.now() > deadline)
        throw new Error(`only ${this.recorder.acked} of ${count} acked in time`)
      await sleep(TICK_MS)
    }
  }

  /** Waits until everybody is connected and nothing is unsettled. @returns who isn't, in the end */
  async settled(withinMs: number, devices: readonly Device[] = this.devices): Promise<Device[]> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const late = devices.filter(({ live, pending }) => !live || pending > 0)
      if (late.length === 0 || performance.now() > deadline) return late
      await sleep(TICK_MS)
    }
  }

  /** Everybody asks for everything once more, again where a line breaks. */
  async syncAll(): Promise<void> {
    await Promise.all(
      this.devices.map(async (device) => {
        for (let tries = 0; tries < 20; tries++) {
          const ok = await device.sync().then(
            () => true,
            () => false,
          )
          if (ok) return
          await sleep(500)
        }
        device.faults.push('no sync in the end')
      }),
    )
  }

  async close(): Promise<void> {
    this.stop()
    await Promise.all(this.devices.map((device) => device.close()))
    for (const device of this.devices) device.drop()
  }

  #sendOne(): void {
    const device = pick(this.devices)
    const { user, kind } = device.info
    if (device.pending >= PENDING[kind]) return
    const die = Math.random() * 100
    const groups = this.#groupsOf.get(user)
    if (die < MIX.user) this.send(device, `user:${pick(this.population.peers.get(user)!)}`)
    else if (die < MIX.user + MIX.group && groups) this.send(device, `group:${pick(groups)}`)
    else if (die >= MIX.user + MIX.group) this.send(device, `channel:${CHANNEL}`)
  }

  async #readHeads(): Promise<Map<string, string>> {
    const heads = new Map<string, string>()
    for (const [id, [owner]] of this.groups) {
      const conv = groupConv(id)
      const { body } = await ask<{ head: string }>(this.#access, owner!, `/conversations/${conv}`)
      heads.set(conv, body.head)
    }
    return heads
  }
}

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!
