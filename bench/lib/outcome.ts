/**
 * What one run of one system gave: figures, what to know when reading them, and what makes it a failure.
 */
import type { CpuUse } from './cpu.ts'
import { disturbancesOf } from './verdict.ts'

export interface Sample {
  /** Figure → value; what a figure is called and measured in stands in report/figures.ts. */
  figures: Record<string, number>
  /** What limited the figures. */
  notes: string[]
  /** What other work took from the machine meanwhile; such a sample is measured anew. */
  disturbances: string[]
  /** A lost, doubled or disordered message, an error, a dead server. */
  faults: string[]
}

/** @returns a sample of figures measured while this was used */
export const sampleOf = (cpu: CpuUse, rest: Omit<Sample, 'disturbances'>): Sample => ({
  ...rest,
  disturbances: disturbancesOf(cpu),
})

/** @returns one sample out of the parts of a run; a figure stands in one part only */
export const joined = (parts: readonly Sample[]): Sample => ({
  figures: Object.assign({}, ...parts.map(({ figures }) => figures)) as Record<string, number>,
  notes: parts.flatMap(({ notes }) => notes),
  disturbances: parts.flatMap(({ disturbances }) => disturbances),
  faults: parts.flatMap(({ faults }) => faults),
})

/** Counts that have to be 0. @returns a fault for each that is not */
export function mustBeZero(counts: Record<string, number>): string[] {
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]))
}

/** @returns one fault of each kind, the newest: those that differ in their numbers alone are one that has grown */
export const newestOfEachKind = (faults: readonly string[]): string[] => [
  ...new Map(faults.map((fault) => [fault.replace(/\d+/g, '#'), fault])).values(),
]

/** @returns the sum of a number over a list */
export const sumOf = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0)
