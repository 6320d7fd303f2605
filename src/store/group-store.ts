/**
 * Groups in Redis: what they are and who is in them. Members is the truth; the list in a user's own books
 * (`noteMembership`) is an index of it, repaired by repeating the call.
 */
import { type GroupId, groupConv, type MessageId, type NodeId, type UserId } from '@starling/protocol/ids'
import type { GroupPort, NewGroup, Telling } from '../services/ports.ts'
import { type Keys, userOwner } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { pairs, redisFault, type Scripts } from './script.ts'
import { addMembers } from './scripts/group/add-members.ts'
import { createGroup } from './scripts/group/create.ts'
import { describeGroup } from './scripts/group/describe.ts'
import { listMembers } from './scripts/group/list-members.ts'
import { removeMember } from './scripts/group/remove-member.ts'
import { noteMembership } from './scripts/user/membership.ts'

export interface GroupLimits {
  log: { maxlen: number; ttlMs: number }
  inbox: { maxlen: number; ttlMs: number }
}

/** Entries that one look at what is untold takes, about: each may be as large as a call. */
const UNTOLD_PAGE = 20

export class GroupStore implements GroupPort {
  readonly #redis: RedisClient
  readonly #scripts: Scripts
  readonly #keys: Keys
  readonly #node: () => NodeId
  readonly #limits: GroupLimits

  /** @param deps.node the id of this gateway now; it changes when a lease was lost */
  constructor(deps: {
    redis: RedisClient
    scripts: Scripts
    keys: Keys
    node: () => NodeId
    limits: GroupLimits
  }) {
    this.#redis = deps.redis
    this.#scripts = deps.scripts
    this.#keys = deps.keys
    this.#node = deps.node
    this.#limits = deps.limits
  }

  create(group: GroupId, owner: UserId, about: NewGroup, others: UserId[], tail: string) {
    const { state, log, members, roster, reads, untold } = this.#group(group)
    return this.#scripts.run(
      createGroup,
      { state, log, members, roster, reads, untold },
      { group, owner, ...about, tail, ttl: this.#limits.log.ttlMs },
      others,
    )
  }

  describe(group: GroupId, user: UserId) {
    const { state, members } = this.#group(group)
    return this.#scripts.run(describeGroup, { state, members }, { user })
  }

  list(group: GroupId, user: UserId, after: string, count: number) {
    const { state, members, roster } = this.#group(group)
    return this.#scripts.run(listMembers, { state, members, roster }, { user, after, count })
  }

  add(group: GroupId, by: UserId, users: UserId[], tail: { before: string; after: string }) {
    const conv = groupConv(group)
    return this.#scripts.run(
      addMembers,
      this.#group(group),
      {
        group,
        by,
        to: this.#keys.to(conv),
        topic: conv,
        ...tail,
        maxlen: this.#limits.log.maxlen,
        ttl: this.#limits.log.ttlMs,
      },
      users,
    )
  }

  remove(group: GroupId, by: UserId, user: UserId, tail: string) {
    const conv = groupConv(group)
    return this.#scripts.run(removeMember, this.#group(group), {
      group,
      by,
      user,
      to: this.#keys.to(conv),
      topic: conv,
      tail,
      maxlen: this.#limits.log.maxlen,
      ttl: this.#limits.log.ttlMs,
    })
  }

  noteMembership(user: UserId, telling: Pick<Telling, 'change' | 'group' | 'id' | 'tail'>) {
    const { change, group, id, tail } = telling
    const owner = userOwner(user)
    const own = this.#keys.owner(owner)
    return this.#scripts.run(
      noteMembership,
      {
        groups: `${own}groups`,
        turns: `${own}turns`,
        inbox: `${own}inbox`,
        state: `${own}state`,
      },
      {
        change,
        user,
        group,
        id,
        tail,
        to: this.#keys.to(owner),
        maxlen: this.#limits.inbox.maxlen,
        ttl: this.#limits.inbox.ttlMs,
      },
    )
  }

  bucketOf(group: GroupId): number {
    return this.#keys.bucketOf(groupConv(group))
  }

  async told({ group, id }: Pick<Telling, 'group' | 'id'>, node = this.#node()): Promise<void> {
    const key = this.#keys.untold(this.bucketOf(group), node)
    await this.#run((redis) => redis.hdel(key, `${group} ${id}`))
  }

  async *untold(bucket: number, node = this.#node()): AsyncGenerator<Telling[]> {
    const key = this.#keys.untold(bucket, node)
    let cursor = '0'
    do {
      const from = cursor
      const [next, flat] = await this.#run((redis) => redis.hscan(key, from, 'COUNT', UNTOLD_PAGE))
      yield pairs(flat).map(([field, value]) => readUntold(field, value))
      cursor = next
    } while (cursor !== '0')
  }

  #group(group: GroupId) {
    const own = this.#keys.owner(groupConv(group))
    return {
      state: `${own}state`,
      log: `${own}log`,
      members: `${own}members`,
      roster: `${own}roster`,
      reads: `${own}reads`,
      untold: this.#keys.untold(this.bucketOf(group), this.#node()),
    }
  }

  async #run<T>(command: (redis: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await command(this.#redis)
    } catch (fault) {
      throw redisFault(fault)
    }
  }
}

/** Reads an entry as `note-untold.lua` writes it. */
function readUntold(field: string, value: string): Telling {
  const [group, id] = field.split(' ')
  const [change, users = ''] = value.split(' ', 2)
  return {
    change: change as Telling['change'],
    group: group as GroupId,
    id: id as MessageId,
    users: users.split(',') as UserId[],
    tail: value.slice(`${change} ${users} `.length),
  }
}
