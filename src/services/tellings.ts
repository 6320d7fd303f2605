/**
 * What has changed in groups and has still to be told to the users concerned. A group's script notes it in the same
 * step, under the node that called it. The telling goes to other slots and may break off: with Redis, then the node
 * finishes what it finds noted; with the node, then its reaper does. Told late or twice, the later change stands.
 */
import { setTimeout } from 'node:timers/promises'
import type { GroupId, NodeId } from '@starling/protocol/ids'
import type { Log } from '../lib/log.ts'
import type { GroupPort, Telling } from './ports.ts'

/** The first wait before a look at what was left, and the longest, ms. */
const RETRY_MS = 500
const RETRY_MAX_MS = 4_000
/** A call whose answer was lost may still be on its way to Redis: what it leaves is looked for until so much later, ms. */
const LATE_MS = 10_000

export class Tellings {
  readonly #groups: Pick<GroupPort, 'noteMembership' | 'told' | 'untold' | 'bucketOf'>
  readonly #log: Log
  readonly #calls = new Set<Promise<unknown>>()
  /** bucket → when a call there broke off last */
  readonly #brokenOff = new Map<number, number>()
  #finishing: Promise<void> | undefined
  readonly #end = new AbortController()

  constructor(deps: {
    groups: Pick<GroupPort, 'noteMembership' | 'told' | 'untold' | 'bucketOf'>
    log: Log
  }) {
    this.#groups = deps.groups
    this.#log = deps.log
  }

  /** Does a call that changes who is in a group and tells them; what it leaves untold when it fails is told later. */
  during<Done>(group: GroupId, call: () => Promise<Done>): Promise<Done> {
    const under = call()
      .catch((fault: unknown) => {
        this.#finishLater(this.#groups.bucketOf(group))
        throw fault
      })
      .finally(() => this.#calls.delete(under))
    this.#calls.add(under)
    return under
  }

  /** Tells the users of a change. @param node whose call it was; this node's where not given */
  async tell(telling: Telling, node?: NodeId): Promise<void> {
    await Promise.all(telling.users.map((user) => this.#groups.noteMembership(user, telling)))
    await this.#groups.told(telling, node)
  }

  /** Tells what a node has left in some buckets. @param node this one where not given */
  async finish(buckets: readonly number[], node?: NodeId): Promise<void> {
    const faults: unknown[] = []
    for (const bucket of buckets) {
      for await (const page of this.#groups.untold(bucket, node)) {
        for (const telling of page) {
          await this.tell(telling, node).catch((fault: unknown) => faults.push(fault))
        }
      }
    }
    if (faults.length > 0) throw faults[0]
  }

  /** Waits for the calls under way. @returns whether nothing is left for a reaper */
  async close(limitMs: number): Promise<boolean> {
    this.#end.abort()
    await Promise.race([
      Promise.allSettled([...this.#calls, this.#finishing]),
      setTimeout(limitMs, undefined, { ref: false }),
    ])
    return this.#calls.size + this.#brokenOff.size === 0
  }

  #finishLater(bucket: number): void {
    this.#brokenOff.set(bucket, performance.now())
    this.#finishing ??= this.#finishAll().finally(() => {
      this.#finishing = undefined
    })
  }

  async #finishAll(): Promise<void> {
    const { signal } = this.#end
    for (let wait = RETRY_MS; this.#brokenOff.size > 0; wait = Math.min(2 * wait, RETRY_MAX_MS)) {
      await setTimeout(wait, undefined, { signal }).catch(() => {})
      for (const [bucket, since] of this.#brokenOff) {
        if (signal.aborted) return
        const isLast = performance.now() - since > LATE_MS
        try {
          await this.finish([bucket])
          if (isLast && this.#brokenOff.get(bucket) === since) this.#brokenOff.delete(bucket)
        } catch (fault) {
          this.#log.debug({ err: fault, bucket }, 'tellings: not finished now')
        }
      }
    }
  }
}
