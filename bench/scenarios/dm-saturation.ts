/**
 * How many one-to-one messages a second go through at most, each stored before its ack, and what one costs.
 */
import { cpuSecondsOf } from '../lib/cpu.ts'
import type { Outcome } from '../lib/outcome.ts'
import { bottleneckOf, busyLine, disturbancesOf } from '../lib/verdict.ts'
import { BODY_BYTES } from '../load/frames.ts'
import { type PairsSetting, runPairs } from './pairs.ts'

/** @param inFlight messages under way in all pairs together */
export async function dmSaturation(setting: PairsSetting & { inFlight: number }): Promise<Outcome> {
  const { cpu, messages, faults } = await runPairs(setting, { is: 'closed', inFlight: setting.inFlight })
  const microsecondsEach = (seconds: number) => (seconds * 1e6) / messages
  return {
    scenario: 'dm-saturation',
    setting: `${setting.pairs} pairs over 2 gateways, ${setting.inFlight} messages under way, bodies of ${BODY_BYTES} bytes`,
    figures: [
      { name: 'messages stored, acked and delivered', value: messages / cpu.seconds, unit: '1/s' },
      {
        name: 'CPU of gateways and Redis a message',
        value: microsecondsEach(cpuSecondsOf(cpu, 'gateway', 'store')),
        unit: 'µs',
      },
      { name: '  of it gateways', value: microsecondsEach(cpuSecondsOf(cpu, 'gateway')), unit: 'µs' },
      { name: '  of it Redis', value: microsecondsEach(cpuSecondsOf(cpu, 'store')), unit: 'µs' },
      {
        name: 'CPU of generators a message',
        value: microsecondsEach(cpuSecondsOf(cpu, 'generator')),
        unit: 'µs',
      },
    ],
    notes: [busyLine(cpu), bottleneckOf(cpu), ...disturbancesOf(cpu)],
    faults,
  }
}
