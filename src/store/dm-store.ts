/**
 * Messages between two users in Redis: into the pair's log, and into the inboxes of both. On a single Redis that is one
 * script; in a cluster the inboxes lie elsewhere, and what is stored is delivered in a second step.
 */
import {
  type ConvId,
  type InboxPosition,
  type MessageId,
  msOf,
  SYSTEM,
  type UserId,
} from '@starling/protocol/ids'
import { REF_TTL_MS, STRANGER_WINDOW_MS } from '@starling/protocol/limits'
import type { DmPort, DmSent, Draft } from '../services/ports.ts'
import type { Batches, BatchOf } from './batches.ts'
import { type Keys, userOwner } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { redisFault } from './script.ts'
import { appendDm, type DmAppended } from './scripts/conv/append-dm.ts'
import { deliverDm } from './scripts/user/deliver.ts'

export interface DmLimits {
  /** Messages kept in a log, about. */
  log: number
  /** Entries kept in an inbox, about. */
  inbox: number
  /** How long a quiet log or inbox is kept, ms. */
  ttlMs: number
  /** Messages to a stranger, 0 for no limit. */
  strangerLimit: number
}

/**
 * A conversation is noted in its users' lists when it wakes up after this long, ms; between that the list's order is
 * what the conversations themselves say.
 */
const QUIET_MS = 10 * 60_000

/** Where a user's keys are. */
interface Place {
  bucket: number
  own: string
}

export class DmStore implements DmPort {
  readonly #redis: RedisClient
  readonly #keys: Keys
  readonly #isInReach: boolean
  readonly #appends: BatchOf<typeof appendDm>
  readonly #deliveries: BatchOf<typeof deliverDm>

  constructor(deps: { redis: RedisClient; batches: Batches; keys: Keys; limits: DmLimits }) {
    const { log, inbox, ttlMs: ttl, strangerLimit: limit } = deps.limits
    this.#redis = deps.redis
    this.#keys = deps.keys
    this.#isInReach = deps.batches.reachesAll
    const appending = {
      limit,
      window: STRANGER_WINDOW_MS,
      quiet: QUIET_MS,
      ref_ttl: REF_TTL_MS,
      maxlen: log,
      ttl,
      inbox,
    }
    this.#appends = deps.batches.open(appendDm, appending, 'durable')
    this.#deliveries = deps.batches.open(deliverDm, { maxlen: inbox, ttl }, 'durable')
  }

  send(
    draft: Draft,
    other: UserId,
    { guard, echo }: { guard: 'check' | 'free'; echo: boolean },
  ): Promise<DmSent> {
    const peer = other === draft.from ? undefined : this.#placeOf(other)
    const self = this.#placeOf(draft.from)
    const pair = this.#keys.bucketOf(draft.conv)
    const inReach = (place: Place | undefined) => (this.#isInReach && place ? place.own : '')
    const appended = this.#appends.run(pair, {
      own: `${this.#keys.bucket(pair)}${draft.conv}:`,
      from: draft.from,
      other,
      guard,
      ref: draft.ref,
      needle: draft.retry ? draft.needle.length : 0,
      tail: draft.tail,
      peer: inReach(peer),
      self: inReach(echo ? self : undefined),
      list: inReach(draft.from === SYSTEM ? undefined : self),
    })
    return this.#isInReach ? appended : this.#deliverAll(draft, appended, { self, peer, other, echo })
  }

  /** What remains to be done where the inboxes are out of the script's reach. */
  async #deliverAll(
    draft: Draft,
    append: Promise<DmAppended>,
    { self, peer, other, echo }: { self: Place; peer: Place | undefined; other: UserId; echo: boolean },
  ): Promise<DmSent> {
    const appended = await append
    if (!('id' in appended)) return appended
    const { is, id, note } = appended
    // Of a repeated ref nobody knows how far its first send came. Clients drop by id what comes twice.
    // A tail that is gone was recalled, or fell out of the log.
    const tail = is === 'ok' ? draft.tail : appended.tail
    if (tail === '') return { is, id, inbox: undefined }
    const [noted, again] = [note ? draft.conv : '', is === 'dup'] as const
    const [inbox] = await Promise.all([
      echo ? this.deliver(draft.from, noted, id, tail, again) : undefined,
      note && !echo && draft.from !== SYSTEM ? this.#note(self, draft.conv, id) : undefined,
      peer && this.deliver(other, noted, id, tail, again),
    ])
    return { is, id, inbox }
  }

  /**
   * Puts a dm into a user's inbox. `tail` is the message's JSON without braces, op and id; `noted` the conversation, where
   * it wakes up and the user's list is to have it; `again`: not a second time where it is among the last entries.
   */
  deliver(
    user: UserId,
    noted: ConvId | '',
    id: MessageId,
    tail: string,
    again = false,
  ): Promise<InboxPosition> {
    const { bucket, own } = this.#placeOf(user)
    const delivery = { own, user, id, tail, noted, at: msOf(id), again: again ? 1 : 0 }
    return this.#deliveries.run(bucket, delivery)
  }

  async #note({ own }: Place, conv: ConvId, id: MessageId): Promise<void> {
    try {
      await this.#redis.zadd(`${own}convs`, 'GT', msOf(id), conv)
    } catch (fault) {
      throw redisFault(fault)
    }
  }

  #placeOf(user: UserId): Place {
    const owner = userOwner(user)
    const bucket = this.#keys.bucketOf(owner)
    return { bucket, own: `${this.#keys.bucket(bucket)}${owner}:` }
  }
}
