/**
 * The stage of the dm scenarios: pairs of users whose sender is on one server and receiver on another, half of them
 * each way, and the generators that hold them. Loads it, reads the CPU meanwhile, and adds the generators up.
 */
import { type CpuUse, cpuDuring } from '../lib/cpu.ts'
import { type Generator, share } from '../lib/generator.ts'
import { mustBeZero, sumOf } from '../lib/outcome.ts'
import { timesFromNow } from '../load/clock.ts'
import type { PairsCommands, PairsLoad, PairsResult } from '../load/pairs.ts'
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

export interface Crowd {
  senders: number
  /** As many as senders where not given. */
  receivers?: number
  /** One of each sender where not given. */
  conversations?: number
}

/** Connects senders and receivers, half of the pairs each way. */
export async function connectPairs(
  { dialect }: Peer,
  system: System,
  generators: PairsGenerators,
  crowd: Crowd,
): Promise<void> {
  const { length: nodes } = system.nodes
  const { receivers: count = crowd.senders, conversations = crowd.senders } = crowd
  const logins = (role: string, length: number, shift: number) =>
    Promise.all(
      Array.from({ length }, (_, index) => system.login(`${role}-${index}`, (index + shift) % nodes)),
    )
  const senders = await logins('sender', crowd.senders, 0)
  // One server alone has nobody to hand a message on to: it echoes.
  const receivers = nodes === 1 ? [] : await logins('receiver', count, 1)
  await Promise.all(
    generators.map((generator, index) =>
      generator.ask('connect', {
        dialect,
        senders: share(senders, index, generators.length),
        receivers: share(receivers, index, generators.length),
        conversations: conversations / generators.length,
      }),
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
    'refused as too many': sumOf(results, ({ refused }) => refused),
    'not acked': sumOf(results, ({ sent, acked, refused }) => sent - acked - refused),
  }),
]
