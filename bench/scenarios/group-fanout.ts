/**
 * How many deliveries a second a large group gets, all of its members connected, half of them on each gateway.
 */
import { type Cluster, withCluster } from '../lib/cluster.ts'
import { cpuDuring, cpuSecondsOf } from '../lib/cpu.ts'
import { type Generator, share, withGenerators } from '../lib/generator.ts'
import { mustBeZero, type Outcome, sumOf } from '../lib/outcome.ts'
import { bottleneckOf, busyLine, disturbancesOf } from '../lib/verdict.ts'
import { timesFromNow } from '../load/clock.ts'
import { BODY_BYTES } from '../load/frames.ts'
import type { GroupCommands, GroupResult } from '../load/group.ts'

export interface GroupSetting {
  generators: number
  members: number
  /** Members who write; deliveries are counted at the others. */
  writers: number
  /** Messages under way per writer. */
  inFlight: number
  warmupMs: number
  measureMs: number
}

export function groupFanout(setting: GroupSetting): Promise<Outcome> {
  return withCluster((cluster) =>
    withGenerators<GroupCommands, Outcome>('group.ts', setting.generators, async (generators) => {
      await connect(cluster, generators, setting)
      const times = timesFromNow(setting)
      const load = { ...times, inFlight: setting.inFlight }
      const [sent, cpu] = await Promise.all([
        Promise.all(generators.map((generator) => generator.ask('load', load))),
        cpuDuring(times, [...cluster.processes, ...generators.map(({ watched }) => watched)]),
      ])
      const acked = new Map(sent.flatMap((part) => [...part.acked]))
      const results = await Promise.all(generators.map((generator) => generator.ask('settle', acked)))
      const deliveries = sumOf(sent, ({ deliveredInTime }) => deliveredInTime)
      const microsecondsEach = (seconds: number) => (seconds * 1e6) / deliveries
      return {
        scenario: 'group-fanout',
        setting: `a group of ${setting.members} over 2 gateways, ${setting.writers} of them write, ${setting.inFlight} messages under way each, bodies of ${BODY_BYTES} bytes`,
        figures: [
          { name: 'deliveries', value: deliveries / cpu.seconds, unit: '1/s' },
          {
            name: 'messages',
            value: sumOf(sent, ({ ackedInTime }) => ackedInTime) / cpu.seconds,
            unit: '1/s',
          },
          {
            name: 'CPU of gateways and Redis a delivery',
            value: microsecondsEach(cpuSecondsOf(cpu, 'gateway', 'store')),
            unit: 'µs',
          },
          {
            name: 'CPU of generators a delivery',
            value: microsecondsEach(cpuSecondsOf(cpu, 'generator')),
            unit: 'µs',
          },
        ],
        notes: [busyLine(cpu), bottleneckOf(cpu), ...disturbancesOf(cpu)],
        faults: [
          ...results.flatMap(({ faults }) => faults),
          ...mustBeZero({
            lost: sumOf(results, ({ lost }) => lost),
            doubled: sumOf(results, ({ doubled }) => doubled),
            'out of one total order':
              sumOf(results, ({ outOfOrder }) => outOfOrder) + contradictions(results),
            'not acked': sumOf(sent, ({ unanswered }) => unanswered),
          }),
          ...cluster.complaints(),
        ],
      }
    }),
  )
}

/** Makes the group and connects all of its members, every other one to each gateway. */
async function connect(
  cluster: Cluster,
  generators: readonly Generator<GroupCommands>[],
  setting: GroupSetting,
): Promise<void> {
  const users = Array.from({ length: setting.members }, (_, index) => `member-${index}`)
  const target = await cluster.makeGroup(users)
  const logins = await Promise.all(users.map((user, index) => cluster.login(user, index % 2 === 0 ? 0 : 1)))
  const [writers, listeners] = [logins.slice(0, setting.writers), logins.slice(setting.writers)]
  await Promise.all(
    generators.map((generator, index) =>
      generator.ask('connect', {
        target,
        // As many numbers for each as there are writers at all: more than enough.
        firstStream: index * setting.writers,
        writers: share(writers, index, generators.length),
        listeners: share(listeners, index, generators.length),
      }),
    ),
  )
}

/** @returns how often the listeners of one generator saw an order that those of the first did not */
function contradictions([first, ...others]: readonly GroupResult[]): number {
  if (!first) return 0
  const ranks = new Map(first.order.map((message, rank) => [message, rank]))
  let count = 0
  for (const { order } of others) {
    let last = -1
    for (const message of order) {
      const rank = ranks.get(message)
      if (rank === undefined) continue // lost by the first, which is counted there
      if (rank < last) count++
      else last = rank
    }
  }
  return count
}
