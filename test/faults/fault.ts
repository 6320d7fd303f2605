/** What a fault is to the suite: a number, a name, and scenes that each run on a stage of their own. */
import type { Result } from './stage/trial.ts'

/** How much is done: all of it, or the part that CI has time for. */
export interface Scale {
  quick: boolean
  /** Messages that must be acked in each scene. */
  messages: number
}

export interface Scene {
  name: string
  /** Acked messages may be lost here: they are counted. Nothing else is forgiven. */
  mayLose?: boolean
  run(scale: Scale): Promise<Result>
}

export interface Fault {
  number: number
  /** As a sentence: what happens. */
  title: string
  scenes: Scene[]
}
