/**
 * Reads CPU use as a judge: who was the bottleneck, and was the machine ours alone.
 */
import type { CpuUse, ProcessUse } from './cpu.ts'

/** A main thread that runs, or waits for a core, for this share of the time can't do more. */
const AT_LIMIT = 0.9
/** More than this share of the machine's cores taken by strangers disturbs a figure. */
const DISTURBING_SHARE = 0.05

/** @returns who was busy for how long, and whether the system under test or the generator set the pace at saturation */
export function bottleneckOf({ processes, machine }: CpuUse): string[] {
  const atLimit = processes.filter(({ busy }) => busy >= AT_LIMIT)
  const system = atLimit.filter(({ role }) => role === 'gateway' || role === 'store').map(nameOf)
  const generators = atLimit.filter(({ role }) => role === 'generator').map(nameOf)
  return [
    `busy: ${processes.map((process) => `${process.name} ${percent(process.busy)}`).join(', ')}; ${machine.busyCores.toFixed(1)} of ${machine.cores} cores taken`,
    `bottleneck: ${verdictOn(system, generators)}`,
  ]
}

function verdictOn(system: readonly string[], generators: readonly string[]): string {
  if (generators.length > 0) {
    const also = system.length > 0 ? `${system.join(', ')}, but also ` : ''
    return `${also}THE GENERATOR (${generators.join(', ')}): the figure is a lower bound`
  }
  return system.length > 0 ? system.join(', ') : 'no process; the number of messages under way set the pace'
}

const nameOf = ({ name }: ProcessUse) => name
const percent = (share: number) => `${Math.round(Math.min(1, share) * 100)} %`

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
