/**
 * Conversations in Redis: the logs of dms, groups and channels, and positions in them.
 */
import {
  type ConvId,
  type MessageId,
  type NodeId,
  parseConv,
  peerIn,
  type UserId,
} from '@starling/protocol/ids'
import { REF_TTL_MS } from '@starling/protocol/limits'
import type { ConvPort, Draft, Stretch } from '../services/ports.ts'
import type { Batches, BatchOf } from './batches.ts'
import type { Keys } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault, type Scripts } from './script.ts'
import { advancePosition } from './scripts/conv/advance.ts'
import { appendMessage } from './scripts/conv/append.ts'
import { holdConv } from './scripts/conv/hold.ts'
import { rangeLog } from './scripts/conv/range.ts'
import { tellConv } from './scripts/conv/tell.ts'
import { viewConv } from './scripts/conv/view.ts'

export interface LogLimits {
  /** Messages kept in a log, about. */
  maxlen: number
  /** How long a quiet log is kept, ms. */
  ttlMs: number
}

/** The user on the other side of a dm, else nobody: some scripts want a name either way. */
function otherIn(conv: ConvId, user: UserId): string {
  const parsed = parseConv(conv)
  return parsed?.kind === 'dm' ? peerIn(parsed.users, user) : ''
}

const kindOf = (conv: ConvId) => conv.slice(0, conv.indexOf(':')) as 'dm' | 'group' | 'channel'

export class ConvStore implements ConvPort {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys
  readonly #appends: BatchOf<typeof appendMessage>
  readonly #views: BatchOf<typeof viewConv>
  readonly #holds: BatchOf<typeof holdConv>

  constructor(deps: {
    redis: RedisClient
    scripts: Scripts
    batches: Batches
    keys: Keys
    limits: LogLimits
  }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
    const { maxlen, ttlMs: ttl } = deps.limits
    this.#appends = deps.batches.open(appendMessage, { ref_ttl: REF_TTL_MS, maxlen, ttl }, 'durable')
    this.#views = deps.batches.open(viewConv, {}, 'read')
    this.#holds = deps.batches.open(holdConv, {})
  }

  append(draft: Draft, guard: 'member' | 'group' | 'channel') {
    const bucket = this.#keys.bucketOf(draft.conv)
    return this.#appends.run(bucket, {
      own: `${this.#keys.bucket(bucket)}${draft.conv}:`,
      conv: draft.conv,
      from: draft.from,
      guard,
      ref: draft.ref,
      needle: draft.retry ? draft.needle.length : 0,
      tail: draft.tail,
    })
  }

  view(conv: ConvId, user: UserId) {
    const bucket = this.#keys.bucketOf(conv)
    const kind = kindOf(conv)
    return this.#views.run(bucket, {
      own: `${this.#keys.bucket(bucket)}${conv}:`,
      kind,
      // The line of a channel is the same for everybody: those who ask in the same turn share it.
      user: kind === 'channel' ? '' : user,
      other: otherIn(conv, user),
    })
  }

  range(conv: ConvId, user: UserId, stretch: Stretch) {
    const own = this.#keys.owner(conv)
    return this.#scripts.run(
      rangeLog,
      { log: `${own}log`, state: `${own}state`, members: `${own}members` },
      { kind: kindOf(conv), user, ...stretch },
    )
  }

  advance(conv: ConvId, user: UserId, what: 'read' | 'recv', id: MessageId) {
    const own = this.#keys.owner(conv)
    const kind = kindOf(conv)
    return this.#scripts.run(
      advancePosition,
      {
        state: `${own}state`,
        members: `${own}members`,
        positions: kind === 'dm' ? `${own}state` : `${own}reads`,
      },
      { kind, user, field: kind === 'dm' ? `${what}:${user}` : user, id },
    )
  }

  tell(conv: ConvId, user: UserId, frame: string) {
    const own = this.#keys.owner(conv)
    return this.#scripts.run(
      tellConv,
      { members: `${own}members`, state: `${own}state` },
      { user, to: this.#keys.to(conv), topic: conv, frame },
    )
  }

  async blocks(conv: ConvId, user: UserId): Promise<boolean> {
    try {
      return (await this.#redis.hexists(`${this.#keys.owner(conv)}state`, `block:${user}`)) === 1
    } catch (fault) {
      throw redisFault(fault)
    }
  }

  /** Has a node told of a conversation's messages, if `user` may hear them; without a user, in any case. */
  attach(conv: ConvId, node: NodeId, user?: UserId) {
    return this.#hold(conv, node, 'attach', user ?? '')
  }

  async detach(conv: ConvId, node: NodeId): Promise<void> {
    await this.#hold(conv, node, 'detach', '')
  }

  /** Both in one line: the last of those called stands. */
  #hold(conv: ConvId, node: NodeId, change: 'attach' | 'detach', user: UserId | '') {
    const bucket = this.#keys.bucketOf(conv)
    return this.#holds.run(bucket, {
      own: `${this.#keys.bucket(bucket)}${conv}:`,
      held: this.#keys.held(bucket, node),
      conv,
      node,
      change,
      user,
    })
  }

  /** @returns the newest id of a conversation, as the backstop compares it */
  async head(conv: ConvId): Promise<MessageId | undefined> {
    try {
      return ((await this.#redis.hget(`${this.#keys.owner(conv)}state`, 'head')) ?? undefined) as
        | MessageId
        | undefined
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}
