/**
 * What connections cost: to sign one in, to keep it while it is quiet, in memory and CPU.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CpuMeter, type CpuUse, cpuSecondsOf } from '../lib/cpu.ts'
import { descriptorLimit } from '../lib/descriptors.ts'
import { type Generator, withGenerators } from '../lib/generator.ts'
import { joined, type Sample, sampleOf, sumOf } from '../lib/outcome.ts'
import type { ConnectionsCommands } from '../load/connections.ts'
import type { Login } from '../load/login.ts'
import type { Peer } from '../peers/peers.ts'
import { complaintsOf, processesOf, type Shape, type System, withSystem } from '../peers/system.ts'

export interface ConnectionsSetting {
  generators: number
  connections: number
  /** How long all is quiet before memory is read, and how long the CPU of quiet connections is. */
  settleMs: number
}

/** Connections that are there when the count starts: what a server needs once is not a connection's. */
const WARMUP = 200
/** Descriptors that a process needs for other things than connections. */
const SPARE_DESCRIPTORS = 200
/** Connections that a generator has on their way at a time. */
const AT_ONCE = 64

export function connections(peer: Peer, setting: ConnectionsSetting, shape: Shape = {}): Promise<Sample> {
  return withSystem(
    () => peer.start(shape),
    (system) => {
      const { count, notes } = withinDescriptors(setting, system.nodes.length)
      return withGenerators<ConnectionsCommands, Sample>(
        'connections.ts',
        setting.generators,
        async (generators) => {
          const watched = [...processesOf(system), ...generators.map((generator) => generator.watched)]
          const resident = () => sumOf(system.nodes, (node) => node.residentBytes())
          await open(peer, system, generators, 0, WARMUP)
          await sleep(setting.settleMs)

          const before = resident()
          const logins = await loginsOf(system, generators, WARMUP, WARMUP + count)
          const connectMeter = new CpuMeter(watched)
          await openAll(peer, generators, logins)
          const connecting = connectMeter.stop()
          await sleep(setting.settleMs)
          const after = resident()
          const quietMeter = new CpuMeter(watched)
          await sleep(setting.settleMs)
          const quiet = quietMeter.stop()
          const faults = await Promise.all(generators.map((generator) => generator.ask('faults', undefined)))
          return joined([
            connectSample(connecting, count),
            sampleOf(quiet, {
              figures: {
                'idle.bytes': (after - before) / count,
                'idle.cpuNode': (cpuSecondsOf(quiet, 'gateway') * 1e3) / system.nodes.length / quiet.seconds,
                'idle.cpuStoreQuiet': (cpuSecondsOf(quiet, 'store') * 1e3) / quiet.seconds,
              },
              notes,
              faults: [...faults.flat(), ...complaintsOf(system)],
            }),
          ])
        },
      )
    },
  )
}

const connectSample = (cpu: CpuUse, count: number): Sample =>
  sampleOf(cpu, {
    figures: {
      'connect.cpu': (cpuSecondsOf(cpu, 'gateway', 'store') * 1e6) / count,
      'connect.cpuServers': (cpuSecondsOf(cpu, 'gateway') * 1e6) / count,
      'connect.cpuStore': (cpuSecondsOf(cpu, 'store') * 1e6) / count,
      'connect.perSecond': count / cpu.seconds,
    },
    notes: [],
    faults: [],
  })

/** Users from..to, evenly over generators and servers. @returns a list for each generator */
async function loginsOf(
  system: System,
  generators: readonly unknown[],
  from: number,
  to: number,
): Promise<Login[][]> {
  const shares: Login[][] = generators.map(() => [])
  for (let user = from; user < to; user++) {
    const node = Math.floor(user / generators.length) % system.nodes.length
    shares[user % generators.length]!.push(await system.login(`idle-${user}`, node))
  }
  return shares
}

async function openAll(
  { dialect }: Peer,
  generators: readonly Generator<ConnectionsCommands>[],
  logins: Login[][],
): Promise<void> {
  await Promise.all(
    generators.map((generator, index) =>
      generator.ask('open', { dialect, logins: logins[index]!, atOnce: AT_ONCE }),
    ),
  )
}

async function open(
  peer: Peer,
  system: System,
  generators: readonly Generator<ConnectionsCommands>[],
  from: number,
  to: number,
): Promise<void> {
  await openAll(peer, generators, await loginsOf(system, generators, from, to))
}

/** @returns as many connections as servers and generators may have files open */
function withinDescriptors(
  { connections: wanted, generators }: ConnectionsSetting,
  nodes: number,
): { count: number; notes: string[] } {
  const limit = descriptorLimit()
  const count = Math.min(wanted, Math.min(nodes, generators) * (limit - SPARE_DESCRIPTORS) - WARMUP)
  return {
    count,
    notes:
      count < wanted
        ? [`ONLY ${count} of ${wanted} connections: ${limit} open files; raise \`ulimit -n\``]
        : [],
  }
}
