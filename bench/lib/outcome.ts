/**
 * What a scenario found: figures, what to know when reading them, and what makes the run a failure.
 */

export interface Figure {
  name: string
  value: number
  unit: string
}

export interface Outcome {
  scenario: string
  /** How it was measured, in a line. */
  setting: string
  figures: Figure[]
  /** What limited the figures, or disturbed them. */
  notes: string[]
  /** A lost, doubled or disordered message, an error, a dead gateway: the run has failed. */
  faults: string[]
}

/** Counts that have to be 0. @returns a fault for each that is not */
export function mustBeZero(counts: Record<string, number>): string[] {
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]))
}

/** @returns the sum of a number over a list */
export const sumOf = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0)
