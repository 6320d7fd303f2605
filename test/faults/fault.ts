/** What a fault is to the suite: a number, a name, and scenes that each run on a stage of their own. */
import type { Result } from './stage/trial.ts'

/** How much is done: all of it, or the part that CI has time for. */
export interface Scale {
  quick: boolean
  /** Messages that must be acked in each scene. */
  messages: number
}

export type Loss = 'unacked' | 'acked'

export interface Scene {
  name: string
  /**
   * What a failover may take back here: it is counted, and nothing else is forgiven. `unacked`: a message that was seen and
   * not acked may be gone from the log, and come again under another id. `acked`: acked ones, too.
   */
  mayLose?: Loss
  run(scale: Scale): Promise<Result>
}

export interface Fault {
  number: number
  /** As a sentence: what happens. */
  title: string
  scenes: Scene[]
}
