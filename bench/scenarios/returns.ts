/**
 * Users who come back: thousands at once with a message waiting for each, and one with a thousand waiting.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CpuMeter, cpuSecondsOf } from '../lib/cpu.ts'
import { type Generator, withGenerators } from '../lib/generator.ts'
import { mustBeZero, type Sample, sampleOf, sumOf } from '../lib/outcome.ts'
import { percentilesOf } from '../lib/percentiles.ts'
import { spreadOf } from '../lib/statistics.ts'
import type { ConnectionsCommands, Returned } from '../load/connections.ts'
import type { Login } from '../load/login.ts'
import type { Peer } from '../peers/peers.ts'
import { complaintsOf, processesOf, type System, withSystem } from '../peers/system.ts'

type Generators = readonly Generator<ConnectionsCommands>[]

/** Users who come back before anything is measured: a server that has just started is not what is asked for. */
const WARMUP_USERS = 500
const WARMUP_BACKLOGS = 10
const HANDED_ON_MS = 50

/** @param users all of whom are dropped, and then come back at the same time */
export function storm(peer: Peer, setting: { generators: number; users: number }): Promise<Sample> {
  return inSystem(peer, setting.generators, async (system, generators) => {
    await dropAndReturn(peer, system, generators, 'warm', WARMUP_USERS, () => {})
    let meter: CpuMeter | undefined
    const returned = await dropAndReturn(peer, system, generators, 'user', setting.users, () => {
      meter = new CpuMeter([...processesOf(system), ...generators.map(({ watched }) => watched)])
    })
    const cpu = meter!.stop()
    const last = percentilesOf(returned.map(({ lastMs }) => lastMs))
    return sampleOf(cpu, {
      figures: {
        'storm.cpu': (cpuSecondsOf(cpu, 'gateway', 'store') * 1e6) / setting.users,
        'storm.cpuServers': (cpuSecondsOf(cpu, 'gateway') * 1e6) / setting.users,
        'storm.cpuStore': (cpuSecondsOf(cpu, 'store') * 1e6) / setting.users,
        'storm.allMs': Math.max(...returned.map(({ allMs }) => allMs)),
        'storm.lastP50': last.p50,
        'storm.lastP99': last.p99,
      },
      notes: [],
      faults: faultsOf(returned),
    })
  })
}

/** @param messages that wait for each of some users, who come back one after the other */
export function backlog(peer: Peer, setting: { users: number; messages: number }): Promise<Sample> {
  return inSystem(peer, 1, async (system, generators) => {
    const [generator] = generators
    const { dialect } = peer
    const returned: Returned[] = []
    let meter: CpuMeter | undefined
    for (let user = 0; user < WARMUP_BACKLOGS + setting.users; user++) {
      const login = await system.login(`user-${user}`, user % system.nodes.length)
      await generator!.ask('open', { dialect, logins: [login], atOnce: 1 })
      await generator!.ask('drop', undefined)
      const from = await system.login(`feeder-${user}`, (user + 1) % system.nodes.length)
      await generator!.ask('feed', { dialect, from, to: [login.user], count: setting.messages })
      if (user === WARMUP_BACKLOGS) {
        meter = new CpuMeter([...processesOf(system), ...generators.map(({ watched }) => watched)])
      }
      // What a server still hands on to a line that is gone would come twice.
      await sleep(HANDED_ON_MS)
      const back = { dialect, logins: [login], atOnce: 1, waiting: setting.messages }
      returned.push(await generator!.ask('comeBack', back))
      await generator!.ask('drop', undefined)
    }
    const measured = returned.slice(WARMUP_BACKLOGS).flatMap(({ lastMs }) => [...lastMs])
    return sampleOf(meter!.stop(), {
      figures: { 'backlog.lastMs': spreadOf(measured).median, 'backlog.worstMs': Math.max(...measured) },
      notes: [],
      faults: faultsOf(returned),
    })
  })
}

function inSystem(
  peer: Peer,
  generators: number,
  work: (system: System, generators: Generators) => Promise<Sample>,
): Promise<Sample> {
  return withSystem(
    () => peer.start({}),
    (system) =>
      withGenerators<ConnectionsCommands, Sample>('connections.ts', generators, async (started) => {
        const sample = await work(system, started)
        const faults = await Promise.all(started.map((generator) => generator.ask('faults', undefined)))
        return { ...sample, faults: [...sample.faults, ...faults.flat(), ...complaintsOf(system)] }
      }),
  )
}

/** Connects users, drops them, sends each a message, and lets them come back. @param ready told right before that */
async function dropAndReturn(
  { dialect }: Peer,
  system: System,
  generators: Generators,
  role: string,
  count: number,
  ready: () => void,
): Promise<Returned[]> {
  const shares = await Promise.all(
    generators.map((_, share) =>
      Promise.all(
        Array.from({ length: count / generators.length }, (_, index) =>
          system.login(`${role}-${share}-${index}`, index % system.nodes.length),
        ),
      ),
    ),
  )
  const each = <Result>(
    ask: (generator: Generator<ConnectionsCommands>, logins: Login[], index: number) => Promise<Result>,
  ) => Promise.all(generators.map((generator, index) => ask(generator, shares[index]!, index)))
  await each((generator, logins) => generator.ask('open', { dialect, logins, atOnce: 64 }))
  await each((generator) => generator.ask('drop', undefined))
  await each(async (generator, logins, index) => {
    const from = await system.login(`${role}-feeder-${index}`, index % system.nodes.length)
    await generator.ask('feed', { dialect, from, to: logins.map(({ user }) => user), count: 1 })
  })
  ready()
  const returned = await each((generator, logins) =>
    generator.ask('comeBack', { dialect, logins, atOnce: logins.length, waiting: 1 }),
  )
  return returned
}

const faultsOf = (returned: readonly Returned[]): string[] =>
  mustBeZero({
    'waiting messages never came': sumOf(returned, ({ lost }) => lost),
    'waiting messages came twice': sumOf(returned, ({ doubled }) => doubled),
  })
