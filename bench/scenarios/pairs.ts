/**
 * The stage of the dm scenarios: two gateways, pairs of users whose sender is on one and receiver on the other, half
 * of them each way, and generators that hold them. Loads it, reads the CPU meanwhile, and adds the generators up.
 */
import { type Cluster, withCluster } from '../lib/cluster.ts'
import { type CpuUse, cpuDuring } from '../lib/cpu.ts'
import { share, withGenerators } from '../lib/generator.ts'
import { mustBeZero, sumOf } from '../lib/outcome.ts'
import { timesFromNow } from '../load/clock.ts'
import type { PairLogin, PairsCommands, PairsLoad, PairsResult } from '../load/pairs.ts'

export interface PairsSetting {
  generators: number
  pairs: number
  warmupMs: number
  measureMs: number
  /** Options of Node for the gateways. */
  nodeOptions?: readonly string[]
}

export interface PairsRun {
  results: PairsResult[]
  cpu: CpuUse
  /** Messages acked while it was measured. */
  messages: number
  faults: string[]
}

/** Starts everything, loads it once, ends everything. @param mode rates and numbers of all generators together */
export function runPairs(setting: PairsSetting, mode: PairsLoad['mode']): Promise<PairsRun> {
  const { generators: count } = setting
  const run = (cluster: Cluster) =>
    withGenerators<PairsCommands, PairsRun>('pairs.ts', count, async (generators) => {
      const logins = await Promise.all(
        Array.from({ length: setting.pairs }, (_, pair) => pairLogin(cluster, pair)),
      )
      await Promise.all(
        generators.map((generator, index) => generator.ask('connect', share(logins, index, count))),
      )
      const times = timesFromNow(setting)
      const load = { ...times, mode: divided(mode, count) }
      const [results, cpu] = await Promise.all([
        Promise.all(generators.map((generator) => generator.ask('load', load))),
        cpuDuring(times, [...cluster.processes, ...generators.map(({ watched }) => watched)]),
      ])
      return {
        results,
        cpu,
        messages: sumOf(results, ({ ackedInTime }) => ackedInTime),
        faults: [...faultsOf(results), ...cluster.complaints()],
      }
    })
  return withCluster(run, setting.nodeOptions)
}

async function pairLogin(cluster: Cluster, pair: number): Promise<PairLogin> {
  const [here, there] = pair % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
  return {
    sender: await cluster.login(`sender-${pair}`, here),
    receiver: await cluster.login(`receiver-${pair}`, there),
  }
}

function divided(mode: PairsLoad['mode'], count: number): PairsLoad['mode'] {
  return mode.is === 'closed'
    ? { is: 'closed', inFlight: mode.inFlight / count }
    : { is: 'open', ratePerSecond: mode.ratePerSecond / count }
}

const faultsOf = (results: readonly PairsResult[]): string[] => [
  ...results.flatMap(({ faults }) => faults),
  ...mustBeZero({
    lost: sumOf(results, ({ lost }) => lost),
    doubled: sumOf(results, ({ doubled }) => doubled),
    'out of order': sumOf(results, ({ outOfOrder }) => outOfOrder),
    'not acked': sumOf(results, ({ sent, acked }) => sent - acked),
  }),
]
