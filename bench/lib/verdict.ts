/**
 * Reads CPU use as a judge: who was the bottleneck, and was the machine ours alone.
 */
import type { CpuUse, ProcessUse } from './cpu.ts'

/** A main thread that runs, or waits for a core, for this share of the time can't do more. */
const AT_LIMIT = 0.9
/** More than this share of the machine's cores taken by strangers disturbs a figure. */
const DISTURBING_SHARE = 0.05

const list = (processes: readonly ProcessUse[]) =>
  processes.map(({ name, busy }) => `${name} (${percent(busy)})`).join(', ')
const percent = (share: number) => `${Math.round(Math.min(1, share) * 100)} %`

/** @returns a line that says whether the system under test or the generator set the pace at saturation */
export function bottleneckOf({ processes, machine, seconds }: CpuUse): string {
  const atLimit = processes.filter(({ busy }) => busy >= AT_LIMIT)
  const system = atLimit.filter(({ role }) => role === 'gateway' || role === 'store')
  const generators = atLimit.filter(({ role }) => role === 'generator')
  const shared =
    machine.busyCores / machine.cores >= AT_LIMIT
      ? `; all ${machine.cores} cores were taken, ${generatorCores(processes, seconds)} of them by the generators`
      : ''
  if (generators.length === 0 && system.length === 0) {
    const busiest = processes.toSorted((a, b) => b.busy - a.busy).slice(0, 1)
    return `bottleneck: none of the processes; waiting set the pace (busiest: ${list(busiest)})${shared}`
  }
  if (system.length === 0) {
    return `bottleneck: THE GENERATOR, not the gateway: ${list(generators)}; the figure is a lower bound${shared}`
  }
  if (generators.length === 0) return `bottleneck: ${list(system)}${shared}`
  return `bottleneck: ${list(system)}, but the generator was at its limit too: ${list(generators)}; the figure is a lower bound${shared}`
}

const generatorCores = (processes: readonly ProcessUse[], seconds: number) =>
  (
    processes.reduce((sum, { role, cpuSeconds }) => sum + (role === 'generator' ? cpuSeconds : 0), 0) /
    seconds
  ).toFixed(1)

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
