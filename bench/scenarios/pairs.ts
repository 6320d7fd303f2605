/**
 * The stage of the dm scenarios: pairs of users whose sender is on one server and receiver on another, half of them
 * each way, and the generators that hold them. Loads it, reads the CPU meanwhile, and adds the generators up.
 */
import { type CpuUse, cpuDuring } from '../lib/cpu.ts'
import { type Generator, share } from '../lib/generator.ts'
import { mustBeZero, sumOf } from '../lib/outcome.ts'
import { timesFromNow } from '../load/clock.ts'
import type { PairLogin, PairsCommands, PairsLoad, PairsResult } from '../load/pairs.ts'
import type { Peer } from '../peers/peers.ts'
import { complaintsOf, processesOf, type System } from '../peers/system.ts'

export type PairsGenerators = readonly Generator<PairsCommands>[]

export interface PairsRun {
  results: PairsResult[]
  cpu: CpuUse
  /** Messages acked while it was measured. */
  messages: number
  faults: string[]
}

/** Connects the pairs of all generators. */
export async function connectPairs(
  { dialect }: Peer,
  system: System,
  generators: PairsGenerators,
  count: number,
): Promise<void> {
  const { length: nodes } = system.nodes
  const pairs = await Promise.all(
    Array.from({ length: count }, async (_, pair): Promise<PairLogin> => {
      const [here, there] = [pair % nodes, (pair + 1) % nodes]
      const sender = await system.login(`sender-${pair}`, here)
      // One server alone has nobody to hand a message on to: it echoes.
      return nodes === 1 ? { sender } : { sender, receiver: await system.login(`receiver-${pair}`, there) }
    }),
  )
  await Promise.all(
    generators.map((generator, index) =>
      generator.ask('connect', { dialect, pairs: share(pairs, index, generators.length) }),
    ),
  )
}

/** Loads the pairs once. @param mode rates and numbers of all generators together */
export async function loadPairs(
  system: System,
  generators: PairsGenerators,
  { mode, ...lengths }: { mode: PairsLoad['mode']; warmupMs: number; measureMs: number },
): Promise<PairsRun> {
  const times = timesFromNow(lengths)
  const load = { ...times, mode: divided(mode, generators.length) }
  const [results, cpu] = await Promise.all([
    Promise.all(generators.map((generator) => generator.ask('load', load))),
    cpuDuring(times, [...processesOf(system), ...generators.map(({ watched }) => watched)]),
  ])
  return {
    results,
    cpu,
    messages: sumOf(results, ({ ackedInTime }) => ackedInTime),
    faults: [...faultsOf(results), ...complaintsOf(system)],
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
