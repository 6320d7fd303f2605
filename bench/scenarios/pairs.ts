/**
 * The stage of the dm scenarios: two gateways, pairs of users whose sender is on one and receiver on the other, half
 * of them each way, and generators that hold them. Loads it, reads the CPU meanwhile, and adds the generators up.
 */

import { startCluster } from '../lib/cluster.ts'
import { CpuMeter, type CpuUse } from '../lib/cpu.ts'
import { type Generator, withGenerators } from '../lib/generator.ts'
import { mustBeZero, sumOf } from '../lib/outcome.ts'
import { nowUs, until } from '../load/clock.ts'
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

/** Time for the generators to hear of a load before it starts. */
const LEAD_MS = 200

/** Starts everything, loads it once, ends everything. @param mode rates and numbers of all generators together */
export async function runPairs(setting: PairsSetting, mode: PairsLoad['mode']): Promise<PairsRun> {
  const cluster = await startCluster(setting.nodeOptions)
  try {
    return await withGenerators<PairsCommands, PairsRun>(
      'pairs.ts',
      setting.generators,
      async (generators) => {
        const logins = await Promise.all(
          Array.from({ length: setting.pairs }, async (_, pair): Promise<PairLogin> => {
            const [here, there] = pair % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
            return {
              sender: await cluster.login(`sender-${pair}`, here),
              receiver: await cluster.login(`receiver-${pair}`, there),
            }
          }),
        )
        await everyOne(generators, (generator, index) =>
          generator.ask('connect', share(logins, index, setting.generators)),
        )
        const startUs = nowUs() + LEAD_MS * 1e3
        const measureUs = startUs + setting.warmupMs * 1e3
        const endUs = measureUs + setting.measureMs * 1e3
        const times = { startUs, measureUs, endUs }
        const loading = everyOne(generators, (generator) =>
          generator.ask('load', { ...times, mode: divided(mode, setting.generators) }),
        )
        const meter = new CpuMeter([...cluster.processes, ...generators.map(({ watched }) => watched)])
        const [results, cpu] = await Promise.all([loading, measured(meter, times)])
        return {
          results,
          cpu,
          messages: sumOf(results, ({ ackedInTime }) => ackedInTime),
          faults: [...faultsOf(results), ...cluster.complaints()],
        }
      },
    )
  } finally {
    await cluster.close()
  }
}

/** @returns what was used in the time that counts */
export async function measured(
  meter: CpuMeter,
  { measureUs, endUs }: { measureUs: number; endUs: number },
): Promise<CpuUse> {
  await until(measureUs)
  meter.restart()
  await until(endUs)
  return meter.stop()
}

/** @returns every count-th item from index on; two neighbours stay together */
export function share<Item>(items: readonly Item[], index: number, count: number): Item[] {
  return items.filter((_, at) => Math.floor(at / 2) % count === index)
}

export const everyOne = <Commands extends PairsCommands | never, Result>(
  generators: readonly Generator<Commands>[],
  ask: (generator: Generator<Commands>, index: number) => Promise<Result>,
): Promise<Result[]> => Promise.all(generators.map(ask))

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
