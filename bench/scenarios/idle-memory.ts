/**
 * What quiet connections cost: gateway memory and CPU, and what it takes to sign one in.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, withCluster } from '../lib/cluster.ts'
import { CpuMeter, cpuSecondsOf } from '../lib/cpu.ts'
import { type Generator, withGenerators } from '../lib/generator.ts'
import { type Outcome, sumOf } from '../lib/outcome.ts'
import { disturbancesOf } from '../lib/verdict.ts'
import type { IdleCommands } from '../load/idle.ts'
import type { Login } from '../load/login.ts'

export interface IdleSetting {
  generators: number
  connections: number
  /** How long the connections are quiet before their memory is read. */
  settleMs: number
}

/** Connections that are there when the count starts: what a gateway needs once is not a connection's. */
const WARMUP = 200
/** Descriptors that a process needs for other things than connections. */
const SPARE_DESCRIPTORS = 200
/** Quiet time before the first reading. */
const WARM_SETTLE_MS = 2_000

export function idleMemory(setting: IdleSetting): Promise<Outcome> {
  const { connections, notes, generators: count } = withinDescriptors(setting)
  return withCluster((cluster) =>
    withGenerators<IdleCommands, Outcome>('idle.ts', count, async (generators) => {
      const watched = [...cluster.processes, ...generators.map((generator) => generator.watched)]
      const resident = () => sumOf(cluster.gateways, (gateway) => gateway.residentBytes())
      await connect(cluster, generators, 0, WARMUP)
      await sleep(WARM_SETTLE_MS)

      const before = resident()
      const connectMeter = new CpuMeter(watched)
      await connect(cluster, generators, WARMUP, WARMUP + connections)
      const connecting = connectMeter.stop()
      const quietMeter = new CpuMeter(watched)
      await sleep(setting.settleMs)
      const quiet = quietMeter.stop()
      const after = resident()

      const faults = await Promise.all(generators.map((generator) => generator.ask('faults', undefined)))
      return {
        scenario: 'idle-memory',
        setting: `${connections} signed-in connections over 2 gateways, quiet for ${setting.settleMs / 1000} s`,
        figures: [
          { name: 'gateway memory a connection (RSS)', value: (after - before) / connections, unit: 'bytes' },
          {
            name: 'CPU of gateways and Redis a connect',
            value: (cpuSecondsOf(connecting, 'gateway', 'store') * 1e6) / connections,
            unit: 'µs',
          },
          { name: 'connects', value: connections / connecting.seconds, unit: '1/s' },
          {
            name: 'CPU of one gateway, all quiet',
            value: (cpuSecondsOf(quiet, 'gateway') * 1e3) / cluster.gateways.length / quiet.seconds,
            unit: 'ms/s',
          },
        ],
        notes: [...notes, ...disturbancesOf(quiet)],
        faults: [...faults.flat(), ...cluster.complaints()],
      }
    }),
  )
}

/** Connects users from..to, evenly over generators and gateways. */
async function connect(
  cluster: Cluster,
  generators: readonly Generator<IdleCommands>[],
  from: number,
  to: number,
): Promise<void> {
  const shares: Login[][] = generators.map(() => [])
  for (let user = from; user < to; user++) {
    const gateway = Math.floor(user / generators.length) % 2 === 0 ? 0 : 1
    shares[user % generators.length]!.push(await cluster.login(`idle-${user}`, gateway))
  }
  await Promise.all(generators.map((generator, index) => generator.ask('connect', shares[index]!)))
}

/** Spreads the connections over as many generators as their descriptors need; gateways are two, whatever their need. */
function withinDescriptors(setting: IdleSetting): {
  connections: number
  generators: number
  notes: string[]
} {
  // Node raises its soft limit to the hard one at its start, so what holds here holds for all processes.
  const limit = Number(
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024,
  )
  const each = limit - SPARE_DESCRIPTORS
  const possible = 2 * each - WARMUP
  const connections = Math.min(setting.connections, possible)
  return {
    connections,
    generators: Math.max(setting.generators, Math.ceil((connections + WARMUP) / each)),
    notes:
      connections < setting.connections
        ? [
            `ONLY ${connections} of ${setting.connections} connections: each gateway may have ${limit} open files; raise \`ulimit -n\``,
          ]
        : [],
  }
}
