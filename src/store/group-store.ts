/**
 * Groups in Redis: what they are and who is in them. Members is the truth; the list in a user's own books
 * (`noteMembership`) is an index of it, repaired by repeating the call.
 */
import { type GroupId, groupConv, type MessageId, type UserId } from '@starling/protocol/ids'
import type { GroupPort, NewGroup } from '../services/ports.ts'
import { type Keys, userOwner } from './keys.ts'
import type { Scripts } from './script.ts'
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

export class GroupStore implements GroupPort {
  readonly #scripts: Scripts
  readonly #keys: Keys
  readonly #limits: GroupLimits

  constructor(deps: { scripts: Scripts; keys: Keys; limits: GroupLimits }) {
    this.#scripts = deps.scripts
    this.#keys = deps.keys
    this.#limits = deps.limits
  }

  create(group: GroupId, owner: UserId, about: NewGroup, others: UserId[], tail: string) {
    const { state, log, members, roster, reads } = this.#group(group)
    return this.#scripts.run(
      createGroup,
      { state, log, members, roster, reads },
      { owner, ...about, tail, ttl: this.#limits.log.ttlMs },
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
      by,
      user,
      to: this.#keys.to(conv),
      topic: conv,
      tail,
      maxlen: this.#limits.log.maxlen,
      ttl: this.#limits.log.ttlMs,
    })
  }

  noteMembership(change: 'enter' | 'exit', user: UserId, group: GroupId, id: MessageId, tail: string) {
    const owner = userOwner(user)
    const own = this.#keys.owner(owner)
    return this.#scripts.run(
      noteMembership,
      { groups: `${own}groups`, inbox: `${own}inbox`, state: `${own}state`, nodes: `${own}nodes` },
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

  #group(group: GroupId) {
    const own = this.#keys.owner(groupConv(group))
    return {
      state: `${own}state`,
      log: `${own}log`,
      members: `${own}members`,
      roster: `${own}roster`,
      reads: `${own}reads`,
      nodes: `${own}nodes`,
    }
  }
}
