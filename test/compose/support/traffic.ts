/** People who write to each other all the while something is done to the cluster, and the account of it. */
import type { Ack } from '@starling/client'
import type { Person } from './person.ts'
import { until } from './until.ts'

/** Between two messages of one person, ms. */
const EVERY_MS = 50

export interface Account {
  acked: number
  /** Why sends were refused; the SDK tries again by itself where that may help. */
  refused: unknown[]
  /** Acked messages that their recipient never got. */
  missing: number
  /** The longest that a send has taken, ms. */
  slowestMs: number
}

export class Traffic {
  readonly #timers: NodeJS.Timeout[] = []
  readonly #sends: Promise<void>[] = []
  readonly #acked: { ack: Ack; to: Person }[] = []
  readonly #refused: unknown[] = []
  #slowestMs = 0

  /** Two by two they write to each other, without waiting for an answer; an odd one writes to itself. */
  static async among(people: Person[]): Promise<Traffic> {
    const traffic = new Traffic()
    const pairs = people.map((from, index) => ({ from, to: people[index ^ 1] ?? from }))
    // Who has answered is no stranger any more, and may be written to without end.
    for (const { from, to } of pairs) await from.send(to.target, 'hello')
    for (const { from, to } of pairs)
      traffic.#timers.push(setInterval(() => traffic.#sends.push(traffic.#send(from, to)), EVERY_MS))
    return traffic
  }

  /** Resolves when so many more have been acked. On a busy machine sentinels need more than one try at a failover. */
  async flows(count: number): Promise<void> {
    const wanted = this.#acked.length + count
    await until(`${count} more messages acked`, 150_000, () => this.#acked.length >= wanted)
  }

  /** Ends it, and waits until every send has an answer and every acked message has come. */
  async account(): Promise<Account> {
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all(this.#sends)
    const came = await Promise.allSettled(this.#acked.map(({ ack, to }) => to.hears(ack)))
    return {
      acked: this.#acked.length,
      refused: this.#refused,
      missing: came.filter(({ status }) => status === 'rejected').length,
      slowestMs: Math.round(this.#slowestMs),
    }
  }

  async #send(from: Person, to: Person): Promise<void> {
    const since = performance.now()
    try {
      this.#acked.push({ ack: await from.send(to.target, 'on and on'), to })
    } catch (fault) {
      this.#refused.push(fault)
    }
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - since)
  }
}
