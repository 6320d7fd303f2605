/**
 * Repeats, one of each subject in turn, so that a slow minute of the machine falls on all of them. What other work has
 * disturbed is measured again, a bounded number of times.
 */
import type { Sample } from './outcome.ts'

export interface Subject {
  name: string
  run(): Promise<Sample>
}

export interface Series {
  name: string
  /** The samples that count: the undisturbed, or all where none was left undisturbed. */
  samples: Sample[]
  /** How many were left out for having been disturbed. */
  leftOut: number
  /** Whether there were only disturbed ones. */
  isDisturbed: boolean
}

interface Course {
  /** Undisturbed samples wanted of each. */
  repeats: number
  /** Rounds that may be added for those that were disturbed. */
  extra: number
  /** No round begins after this, but for the first two; without end where not given. */
  startWithinMs?: number
  /** Told of each run. */
  say: (words: string) => void
}

/** Two rounds have a spread. */
const LEAST_ROUNDS = 2

/** @returns a series of each subject, in their order */
export async function interleave<const Subjects extends readonly Subject[]>(
  subjects: Subjects,
  { repeats, extra, startWithinMs = Number.POSITIVE_INFINITY, say }: Course,
): Promise<{ [Index in keyof Subjects]: Series }> {
  const startMs = performance.now()
  const all = new Map(subjects.map(({ name }) => [name, [] as Sample[]]))
  const good = (name: string) => all.get(name)!.filter(isUndisturbed)
  for (let round = 0; round < repeats + extra; round++) {
    if (round >= LEAST_ROUNDS && performance.now() - startMs > startWithinMs) break
    // Every other round backwards: nobody always comes behind the same one.
    for (const { name, run } of round % 2 === 0 ? subjects : subjects.toReversed()) {
      if (good(name).length >= repeats || all.get(name)!.some(hasBrokenOff)) continue
      const sample = await run().catch(brokenOff)
      all.get(name)!.push(sample)
      say([`${name} ${round + 1}`, ...sample.disturbances, ...sample.faults].join('; '))
    }
  }
  return subjects.map(({ name }) => {
    const [samples, undisturbed] = [all.get(name)!, good(name)]
    const isDisturbed = undisturbed.length === 0
    const kept = isDisturbed ? samples : undisturbed
    return { name, samples: kept, leftOut: samples.length - kept.length, isDisturbed }
  }) as { [Index in keyof Subjects]: Series }
}

const isUndisturbed = ({ disturbances }: Sample) => disturbances.length === 0

/** One that could not be measured at all won't be at the next try. */
const hasBrokenOff = ({ figures }: Sample) => Object.keys(figures).length === 0

const brokenOff = (fault: unknown): Sample => ({
  figures: {},
  notes: [],
  disturbances: [],
  faults: [fault instanceof Error ? fault.message : String(fault)],
})
