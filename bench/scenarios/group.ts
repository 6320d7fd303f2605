/**
 * Group messages, all members connected, half of them on each server: what one delivery costs, and whether all saw
 * one order.
 */
import { cpuDuring } from '../lib/cpu.ts'
import { type Generator, withGenerators } from '../lib/generator.ts'
import { mustBeZero, type Sample, sampleOf, sumOf } from '../lib/outcome.ts'
import { bottleneckOf, busyLine } from '../lib/verdict.ts'
import { timesFromNow } from '../load/clock.ts'
import type { GroupCommands, GroupMember, GroupResult } from '../load/group.ts'
import type { Peer } from '../peers/peers.ts'
import { complaintsOf, processesOf, type Shape, type System, withSystem } from '../peers/system.ts'
import { cpuFigures } from './dm.ts'

export interface GroupSetting {
  generators: number
  members: number
  /** How many of them are connected; all where not given. */
  connected?: number
  /** Groups of that size: together they have about as many members, whatever the size. */
  groups: number
  /** Members of each who write. */
  writers: number
  /** Messages under way per writer. */
  inFlight: number
  /** What its figures are called; `group-<members>` where not given. */
  part?: string
  warmupMs: number
  measureMs: number
}

export function group(peer: Peer, setting: GroupSetting, shape: Shape = {}): Promise<Sample> {
  return withSystem(
    () => peer.start(shape),
    (system) =>
      withGenerators<GroupCommands, Sample>('group.ts', setting.generators, async (generators) => {
        await connect(peer, system, generators, setting)
        const times = timesFromNow(setting)
        const load = { ...times, inFlight: setting.inFlight }
        const [sent, cpu] = await Promise.all([
          Promise.all(generators.map((generator) => generator.ask('load', load))),
          cpuDuring(times, [...processesOf(system), ...generators.map(({ watched }) => watched)]),
        ])
        const acked = new Map(sent.flatMap((part) => [...part.acked]))
        const results = await Promise.all(generators.map((generator) => generator.ask('settle', acked)))
        const deliveries = sumOf(sent, ({ deliveredInTime }) => deliveredInTime)
        const prefix = setting.part ?? `group-${setting.members}`
        const wrongs = {
          lost: sumOf(results, ({ lost }) => lost),
          doubled: sumOf(results, ({ doubled }) => doubled),
          outOfOrder: sumOf(results, ({ outOfOrder }) => outOfOrder) + contradictions(results),
        }
        return sampleOf(cpu, {
          figures: {
            [`${prefix}.perSecond`]: deliveries / cpu.seconds,
            [`${prefix}.messages`]: sumOf(sent, ({ ackedInTime }) => ackedInTime) / cpu.seconds,
            ...cpuFigures(prefix, cpu, deliveries),
            [`${prefix}.lost`]: wrongs.lost,
            [`${prefix}.doubled`]: wrongs.doubled,
            [`${prefix}.outOfOrder`]: wrongs.outOfOrder,
          },
          notes: [busyLine(cpu), bottleneckOf(cpu)],
          faults: [
            ...results.flatMap(({ faults }) => faults),
            ...mustBeZero({
              lost: wrongs.lost,
              doubled: wrongs.doubled,
              'out of one total order': wrongs.outOfOrder,
              'not acked': sumOf(sent, ({ unanswered }) => unanswered),
            }),
            ...complaintsOf(system),
          ],
        })
      }),
  )
}

/** Makes the groups and connects their members, every other one to each server. */
async function connect(
  { dialect }: Peer,
  system: System,
  generators: readonly Generator<GroupCommands>[],
  { groups, members, connected = members, writers }: GroupSetting,
): Promise<void> {
  const shares: GroupMember[][] = generators.map(() => [])
  for (let number = 0; number < groups; number++) {
    const users = Array.from({ length: members }, (_, index) => `member-${number}-${index}`)
    const target = await system.makeGroup(users)
    for (const [index, user] of users.slice(0, connected).entries()) {
      const login = await system.login(user, index % system.nodes.length, [target])
      // Neighbours stay together, since they differ in their server.
      shares[(Math.floor(index / 2) + number) % generators.length]!.push({
        login,
        group: number,
        target,
        ...(index < writers && { stream: number * writers + index }),
      })
    }
  }
  await Promise.all(
    generators.map((generator, index) => generator.ask('connect', { dialect, members: shares[index]! })),
  )
}

/** @returns how often the members of one generator saw an order that those of the first did not */
function contradictions([first, ...others]: readonly GroupResult[]): number {
  let count = 0
  for (const [group, order] of first?.orders ?? []) {
    const ranks = new Map(order.map((message, rank) => [message, rank]))
    for (const { orders } of others) {
      let last = -1
      for (const message of orders.get(group) ?? []) {
        const rank = ranks.get(message)
        if (rank === undefined) continue // lost by the first, which is counted there
        if (rank < last) count++
        else last = rank
      }
    }
  }
  return count
}
