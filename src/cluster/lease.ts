/**
 * The node's lease, and the end of other nodes': renewed every second for 15 s, with the same call that
 * looks for lapsed ones. Any node may claim a lapsed lease; it then takes the dead node out of everything it held,
 * tells who went offline, and has finished what the node's calls have left half done.
 */
import type { NodeId, UserId } from '@starling/protocol/ids'
import type { Log } from '../lib/log.ts'
import type { NodeInfo, NodeStore } from '../store/node-store.ts'
import type { OnlineStore } from '../store/online-store.ts'

const LEASE_MS = 15_000
/** How often the lease is renewed and those of others looked at: a death shows within 15 s and this, ms. */
const LOOK_MS = 1_000
/** A renewal that comes later than this says that Redis was away, ms. */
const LATE_MS = 7_000
/** After Redis was away everybody's lease may have lapsed: each gets the time to renew before any is claimed, ms. */
const PATIENCE_MS = 8_000
/**
 * After a start, which seldom falls together with that, the time of one reconnect and one look is enough, ms: nodes that
 * die young would else leave the dead to nobody, for longer than presence promises.
 */
const START_PATIENCE_MS = 3_000

export interface LeaseEvents {
  /** The lease is gone: others have taken this node out. Rejects where it can't go on now, and is called again. */
  lost(): Promise<void>
  /** Users whom the reaping of a dead node took offline; `last`: the node is out. */
  reaped(gone: [UserId, number][], last: boolean): Promise<void>
  /** Calls of a dead node broke off in these buckets and have still something to tell. */
  untold(node: NodeId, buckets: number[]): Promise<void>
}

export class Lease {
  readonly #nodes: NodeStore
  readonly #online: OnlineStore
  readonly #buckets: number
  readonly #info: () => NodeInfo
  readonly #events: LeaseEvents
  readonly #log: Log
  #node: NodeId
  #renewedAt = 0
  /** From when on a lapsed lease means a death. */
  #believesFrom = 0
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #keeping: NodeJS.Timeout | undefined
  #closed = false
  #isLost = false
  readonly #reaping = new Set<NodeId>()
  /** Dead nodes, and sessions of theirs, that this one took out. */
  reapedNodes = 0
  reapedSessions = 0

  constructor(deps: {
    node: NodeId
    nodes: NodeStore
    online: OnlineStore
    buckets: number
    info: () => NodeInfo
    events: LeaseEvents
    log: Log
  }) {
    this.#node = deps.node
    this.#nodes = deps.nodes
    this.#online = deps.online
    this.#buckets = deps.buckets
    this.#info = deps.info
    this.#events = deps.events
    this.#log = deps.log
  }

  /** Takes the lease; from then on it is kept. */
  async start(): Promise<void> {
    await this.#take(START_PATIENCE_MS)
    this.#schedule()
  }

  /** Takes a lease under another id, called while the old one's loss is dealt with, and keeps it until that is done. */
  async restart(node: NodeId): Promise<void> {
    this.#node = node
    await this.#take(PATIENCE_MS)
    this.#keeping = setInterval(() => void this.#keep(), LOOK_MS)
  }

  /**
   * Renews it no more.
   * @param mayGiveUp asked at the very end: whether nothing of this node is left to take out, so that no reaper need come
   */
  async close({ mayGiveUp }: { mayGiveUp: () => Promise<boolean> }): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#looking
    if (!(await mayGiveUp())) return
    await this.#nodes
      .giveUp(this.#node)
      .catch((fault: unknown) => this.#log.debug({ err: fault }, 'lease: not given up; it lapses'))
  }

  /** Since the lease was renewed last, ms. */
  get ageMs(): number {
    return performance.now() - this.#renewedAt
  }

  async #take(patienceMs: number): Promise<void> {
    await this.#nodes.renew(this.#node, LEASE_MS, true, this.#info())
    this.#renewedAt = performance.now()
    this.#believesFrom = this.#renewedAt + patienceMs
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#schedule())
    }, LOOK_MS)
  }

  async #look(): Promise<void> {
    const now = performance.now()
    const late = now - this.#renewedAt > LATE_MS
    if (late) this.#believesFrom = now + PATIENCE_MS
    // Between renewals the list of lapsed leases comes with the same call, which costs nothing more.
    try {
      if (this.#isLost) return await this.#goOn()
      const renewed = await this.#nodes.renew(this.#node, LEASE_MS, false, this.#info())
      if (renewed.is === 'lost') return await this.#goOn()
      this.#renewedAt = performance.now()
      if (performance.now() < this.#believesFrom) return
      for (const node of renewed.lapsed) if (node !== this.#node) this.#reap(node)
    } catch (fault) {
      this.#log.debug({ err: fault }, 'lease: not renewed now')
    }
  }

  /** Has the node go on under another id; tried again with the next look where Redis fails meanwhile. */
  async #goOn(): Promise<void> {
    this.#log.warn({ node: this.#node }, 'lease: lost; going on under a new id')
    this.#isLost = true
    try {
      await this.#events.lost()
    } finally {
      clearInterval(this.#keeping)
    }
    this.#isLost = false
  }

  async #keep(): Promise<void> {
    try {
      const { is } = await this.#nodes.renew(this.#node, LEASE_MS, false, this.#info())
      if (is === 'ok') this.#renewedAt = performance.now()
    } catch (fault) {
      this.#log.debug({ err: fault }, 'lease: not renewed now')
    }
  }

  #reap(node: NodeId): void {
    if (this.#reaping.has(node)) return
    this.#reaping.add(node)
    this.#takeOut(node)
      .catch((fault: unknown) =>
        this.#log.warn({ err: fault, dead: node }, 'reaper: broke off; somebody goes on'),
      )
      .finally(() => this.#reaping.delete(node))
  }

  async #takeOut(node: NodeId): Promise<void> {
    if (!(await this.#nodes.claim(node))) return
    this.#log.warn({ dead: node }, 'reaper: a node is dead')
    let sessions = 0
    const untold: number[] = []
    for (let start = 0; start < this.#buckets; start += BUCKETS_AT_ONCE) {
      const buckets = Array.from(
        { length: Math.min(BUCKETS_AT_ONCE, this.#buckets - start) },
        (_, at) => start + at,
      )
      const counts = await Promise.all(buckets.map((bucket) => this.#emptyBucket(bucket, node)))
      for (const [at, count] of counts.entries()) {
        sessions += count.sessions
        if (count.untold > 0) untold.push(start + at)
      }
    }
    await this.#events.reaped([], true)
    if (untold.length > 0) await this.#events.untold(node, untold)
    await this.#nodes.reaped(node)
    this.reapedNodes += 1
    this.#log.info({ dead: node, sessions }, 'reaper: done')
  }

  async #emptyBucket(bucket: number, node: NodeId): Promise<{ sessions: number; untold: number }> {
    let removed = 0
    for (;;) {
      const { left, sessions, untold, gone } = await this.#online.reap(bucket, node)
      removed += sessions
      this.reapedSessions += sessions
      if (gone.length > 0) await this.#events.reaped(gone, false)
      if (left === 0) return { sessions: removed, untold }
    }
  }
}

/** Buckets that a reaper empties side by side. */
const BUCKETS_AT_ONCE = 64
