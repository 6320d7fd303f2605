/**
 * How long one-to-one messages take at a fixed rate, in an open loop: counted from when each was due.
 */
import { cpuSecondsOf } from '../lib/cpu.ts'
import { percentilesOf } from '../lib/histogram.ts'
import { type Figure, mustBeZero, type Outcome } from '../lib/outcome.ts'
import { busyLine, disturbancesOf } from '../lib/verdict.ts'
import type { PairsResult } from '../load/pairs.ts'
import { type PairsSetting, runPairs } from './pairs.ts'

/** A generator that sends later than this is part of what it measures, ms. */
const LATE_MS = 5

/** @param ratePerSecond of all pairs together */
export async function dmLatency(setting: PairsSetting & { ratePerSecond: number }): Promise<Outcome> {
  const { ratePerSecond } = setting
  const { results, cpu, messages, faults } = await runPairs(setting, { is: 'open', ratePerSecond })
  const over = (of: (result: PairsResult) => Float64Array) => percentilesOf(results.map(of))
  const [ack, delivery, late] = [over((r) => r.ackMs), over((r) => r.deliveryMs), over((r) => r.lateMs)]
  const percentile = (name: string, value: number): Figure => ({ name, value, unit: 'ms' })
  return {
    scenario: 'dm-latency',
    setting: `${setting.pairs} pairs over 2 gateways, open loop at ${ratePerSecond} messages/s, counted from when each was due`,
    figures: [
      percentile('delivery on the other gateway p50', delivery.p50),
      percentile('delivery on the other gateway p99', delivery.p99),
      percentile('delivery on the other gateway p99.9', delivery.p999),
      percentile('ack p50', ack.p50),
      percentile('ack p99', ack.p99),
      percentile('ack p99.9', ack.p999),
      percentile('sent later than due p99 (in the above)', late.p99),
      {
        name: 'CPU of gateways and Redis a message',
        value: (cpuSecondsOf(cpu, 'gateway', 'store') * 1e6) / messages,
        unit: 'µs',
      },
    ],
    notes: [
      busyLine(cpu),
      ...(late.p99 > LATE_MS
        ? [`THE GENERATOR was late by ${late.p99.toFixed(1)} ms at p99: the latencies are upper bounds`]
        : []),
      ...disturbancesOf(cpu),
    ],
    faults: [
      ...faults,
      ...mustBeZero({ 'of the due messages never delivered': late.count - delivery.count }),
    ],
  }
}
