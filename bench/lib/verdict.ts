/**
 * Reads CPU use as a judge: who was the bottleneck, and was the machine ours alone.
 */
import type { CpuUse, Role } from './cpu.ts'

/** A main thread that runs, or waits for a core, for this share of the time can't do more. */
const AT_LIMIT = 0.9
/** More than this share of the machine's cores taken by strangers disturbs a figure. */
const DISTURBING_SHARE = 0.05

/** @returns for how much of the time each main thread was busy */
export function busyLine({ processes, machine }: CpuUse): string {
  const each = processes.map(({ name, busy }) => `${name} ${Math.round(Math.min(1, busy) * 100)} %`)
  return `busy: ${each.join(', ')}; ${machine.busyCores.toFixed(1)} of ${machine.cores} cores taken`
}

/** @returns whether the system under test or the generator set the pace at saturation */
export function bottleneckOf({ processes, machine }: CpuUse): string {
  const atLimit = processes.filter(({ busy }) => busy >= AT_LIMIT)
  const namesOf = (...roles: Role[]) =>
    atLimit.flatMap(({ role, name }) => (roles.includes(role) ? [name] : [])).join(', ')
  const [system, generators] = [namesOf('gateway', 'store'), namesOf('generator')]
  if (generators !== '') {
    return `bottleneck: ${system && `${system}, but also `}THE GENERATOR (${generators}): the figure is a lower bound`
  }
  if (system !== '') return `bottleneck: ${system}`
  if (machine.busyCores >= machine.cores * AT_LIMIT) return 'bottleneck: the cores of the machine, all taken'
  return 'bottleneck: no process; the number of messages under way set the pace'
}

/** @returns what else took the machine's cores, if it was much */
export function disturbancesOf({ machine }: CpuUse): string[] {
  const limit = machine.cores * DISTURBING_SHARE
  const notes: string[] = []
  if (machine.otherCores > limit) {
    notes.push(`DISTURBED: other work took ${machine.otherCores.toFixed(2)} of ${machine.cores} cores`)
  }
  if (machine.stolenCores > limit) {
    notes.push(`DISTURBED: the host took ${machine.stolenCores.toFixed(2)} of ${machine.cores} cores`)
  }
  return notes
}
