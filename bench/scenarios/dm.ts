/**
 * One-to-one messages over two servers: how many a second go through at most and what one costs, then how long one
 * takes at fixed rates, counted from when it was due.
 */
import { type CpuUse, cpuSecondsOf } from '../lib/cpu.ts'
import { withGenerators } from '../lib/generator.ts'
import { joined, type Sample, sampleOf, sumOf } from '../lib/outcome.ts'
import { percentilesOf } from '../lib/percentiles.ts'
import { bottleneckOf, busyLine } from '../lib/verdict.ts'
import type { PairsCommands, PairsResult } from '../load/pairs.ts'
import type { Peer } from '../peers/peers.ts'
import { type Shape, type System, withSystem } from '../peers/system.ts'
import { type Crowd, connectPairs, loadPairs, type PairsGenerators, type PairsRun } from './pairs.ts'

/** Messages a second; or half of what went through at saturation. */
export type Rate = number | 'half'

export interface DmSetting {
  generators: number
  crowd: Crowd
  /** Messages under way in all pairs together. */
  inFlight: number
  /** Messages a second, of all pairs together, of the open loops. */
  rates: readonly Rate[]
  /**
   * Messages sent before anything is measured; none beyond the warm-up where not given. The AOF is rewritten after them,
   * and not while it is measured: with much data that takes seconds, of which a short measurement holds all or none.
   */
  before?: number
  warmupMs: number
  measureMs: number
}

/** A generator that sends later than this is part of what it measures, ms. */
const LATE_MS = 2
const FILL_MS = 1_000

export function dm(peer: Peer, setting: DmSetting, shape: Shape = {}): Promise<Sample> {
  const { rates, inFlight, crowd, before = 0, ...lengths } = setting
  return withSystem(
    () => peer.start(shape),
    (system) =>
      withGenerators<PairsCommands, Sample>('pairs.ts', setting.generators, async (generators) => {
        await connectPairs(peer, system, generators, crowd)
        if (before > 0) await fill(system, generators, inFlight, before)
        const closed = await loadPairs(system, generators, { ...lengths, mode: { is: 'closed', inFlight } })
        const parts = [saturation(closed)]
        for (const rate of rates) {
          const ratePerSecond = rate === 'half' ? Math.floor(closed.messages / closed.cpu.seconds / 2) : rate
          const open = await loadPairs(system, generators, {
            ...lengths,
            mode: { is: 'open', ratePerSecond },
          })
          parts.push(latency(open, rate))
        }
        return joined(parts)
      }),
  )
}

/** Sends at least so many messages, and has the AOF rewritten. */
async function fill(
  system: System,
  generators: PairsGenerators,
  inFlight: number,
  count: number,
): Promise<void> {
  for (let sent = 0; sent < count; ) {
    const { results } = await loadPairs(system, generators, {
      mode: { is: 'closed', inFlight },
      warmupMs: 0,
      measureMs: FILL_MS,
    })
    sent = sumOf(results, (result) => result.sent)
  }
  await system.store?.rewrite()
}

function saturation({ cpu, messages, results, faults }: PairsRun): Sample {
  return sampleOf(cpu, {
    figures: {
      'dm.perSecond': messages / cpu.seconds,
      ...cpuFigures('dm', cpu, messages),
      'dm.lost': sumOf(results, ({ lost }) => lost),
      'dm.doubled': sumOf(results, ({ doubled }) => doubled),
      'dm.outOfOrder': sumOf(results, ({ outOfOrder }) => outOfOrder),
    },
    notes: [busyLine(cpu), bottleneckOf(cpu)],
    faults,
  })
}

function latency({ results, cpu, messages, faults }: PairsRun, rate: Rate): Sample {
  const over = (of: (result: PairsResult) => Float64Array) => percentilesOf(results.map(of))
  const [ack, delivery, late] = [over((r) => r.ackMs), over((r) => r.deliveryMs), over((r) => r.lateMs)]
  const prefix = `dm@${rate}`
  return sampleOf(cpu, {
    figures: {
      [`${prefix}.deliveryP50`]: delivery.p50,
      [`${prefix}.deliveryP99`]: delivery.p99,
      [`${prefix}.deliveryP999`]: delivery.p999,
      [`${prefix}.ackP50`]: ack.p50,
      [`${prefix}.ackP99`]: ack.p99,
      [`${prefix}.ackP999`]: ack.p999,
      [`${prefix}.lateP99`]: late.p99,
      [`${prefix}.cpu`]: microseconds(cpuSecondsOf(cpu, 'gateway', 'store'), messages),
    },
    notes:
      late.p99 > LATE_MS
        ? [
            `THE GENERATOR was late by ${late.p99.toFixed(1)} ms at p99 of ${rate === 'half' ? rate : `${rate}/s`}: upper bounds`,
          ]
        : [],
    faults,
  })
}

/** @returns what one of so many cost the system, in all and by part, and the generators */
export const cpuFigures = (prefix: string, cpu: CpuUse, count: number): Record<string, number> => ({
  [`${prefix}.cpu`]: microseconds(cpuSecondsOf(cpu, 'gateway', 'store'), count),
  [`${prefix}.cpuServers`]: microseconds(cpuSecondsOf(cpu, 'gateway'), count),
  [`${prefix}.cpuStore`]: microseconds(cpuSecondsOf(cpu, 'store'), count),
  [`${prefix}.cpuGenerators`]: microseconds(cpuSecondsOf(cpu, 'generator'), count),
})

const microseconds = (seconds: number, count: number) => (seconds * 1e6) / count
