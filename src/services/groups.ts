/**
 * Groups: making them, who is in them, who may do what. The group's own script decides and writes the event;
 * then each user concerned is told through their own inbox, by this node or who finishes for it (tellings.ts).
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { EventBody } from '@starling/protocol/frames'
import { type GroupId, groupConv, type MessageId, msOf, type UserId } from '@starling/protocol/ids'
import { v7 as uuid } from 'uuid'
import { eventTail, eventTailAround } from './message-json.ts'
import type { GroupPort, NewGroup } from './ports.ts'
import type { Tellings } from './tellings.ts'

export interface Group extends NewGroup {
  id: GroupId
  owner: UserId
  members: number
  createdAt: number
}

export interface Member {
  user: UserId
  role: 'owner' | 'admin' | 'member'
  /** Unix ms. */
  joined: number
  /** Unix ms, while it lasts. */
  mutedUntil?: number
}

/** Refusals of the group scripts in the protocol's words. */
function refusal(
  is: 'not_found' | 'not_member' | 'no_such_member' | 'forbidden' | 'owner_stays',
): ProtocolError {
  switch (is) {
    case 'not_found':
      return new ProtocolError('not_found', 'no such group')
    case 'not_member':
      return new ProtocolError('not_member', 'you are not a member of this group')
    case 'no_such_member':
      return new ProtocolError('not_found', 'no such member')
    case 'forbidden':
      return new ProtocolError('forbidden', 'your role in this group does not allow it')
    case 'owner_stays':
      return new ProtocolError('forbidden', 'the owner hands the group over before leaving it')
  }
}

export class Groups {
  readonly #groups: GroupPort
  readonly #tellings: Tellings

  constructor(deps: { groups: GroupPort; tellings: Tellings }) {
    this.#groups = deps.groups
    this.#tellings = deps.tellings
  }

  /** Makes a group with its first members; the owner is one of them whether named or not. */
  async create(
    owner: UserId,
    about: { [Field in Exclude<keyof NewGroup, 'name'>]?: NewGroup[Field] | undefined } & {
      name: string
      members?: readonly UserId[] | undefined
    },
  ): Promise<Group> {
    const id = uuid() as GroupId
    const { members = [], ...given } = about
    const others = [...new Set(members)].filter((user) => user !== owner)
    const made: NewGroup = {
      name: given.name,
      intro: given.intro ?? '',
      icon: given.icon ?? '',
      join: given.join ?? 'invite',
      history: given.history ?? 'joined',
    }
    const users = [owner, ...others]
    const tail = eventTail(groupConv(id), owner, { type: 'event', event: 'member_joined', users, by: owner })
    const created = await this.#tellings.during(id, async () => {
      const done = await this.#groups.create(id, owner, made, others, tail)
      if (done.is === 'ok')
        await this.#tellings.tell({ change: 'enter', group: id, id: done.id, users, tail })
      return done
    })
    if (created.is === 'conflict') throw new ProtocolError('conflict', 'the group exists')
    return { id, ...made, owner, members: users.length, createdAt: created.createdAt }
  }

  async get(user: UserId, group: GroupId): Promise<Group> {
    const described = await this.#groups.describe(group, user)
    if (described.is !== 'ok') throw refusal(described.is)
    const { is: _is, ...about } = described
    return { id: group, ...about }
  }

  async members(
    user: UserId,
    group: GroupId,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ members: Member[]; total: number; cursor?: string }> {
    const listed = await this.#groups.list(group, user, page.cursor ?? '', page.limit + 1)
    if (listed.is !== 'ok') throw refusal(listed.is)
    const members = listed.members.slice(0, page.limit).map(
      (member): Member => ({
        user: member.user,
        role: member.role,
        joined: msOf(member.joined),
        ...(member.mutedUntil > Date.now() && { mutedUntil: member.mutedUntil }),
      }),
    )
    const last = members.at(-1)
    return {
      members,
      total: listed.total,
      ...(listed.members.length > page.limit && last && { cursor: last.user }),
    }
  }

  /** Invites users, or joins an open group where `users` is oneself alone. */
  async add(
    by: UserId,
    group: GroupId,
    users: readonly UserId[],
  ): Promise<{ added: UserId[]; id: MessageId }> {
    const wanted = [...new Set(users)]
    const conv = groupConv(group)
    const body = (list: string[]): EventBody => ({ type: 'event', event: 'member_joined', users: list, by })
    const around = eventTailAround(conv, by, body)
    const done = await this.#tellings.during(group, async () => {
      const added = await this.#groups.add(group, by, wanted, around)
      if (added.is === 'ok') {
        const { id, tail, added: users, there } = added
        if (users.length > 0) await this.#tellings.tell({ change: 'enter', group, id, users, tail })
        // Who was a member already is told again, which changes nothing unless their own books have lost it.
        const again = (user: UserId, joined: MessageId) =>
          this.#groups.noteMembership(user, {
            change: 'enter',
            group,
            id: joined,
            tail: eventTail(conv, by, body([user])),
          })
        await Promise.all(there.map(([user, joined]) => again(user, joined)))
      }
      return added
    })
    if (done.is !== 'ok') throw refusal(done.is)
    return { added: done.added, id: done.id }
  }

  /** Removes a member, or leaves. @returns the id behind which they get nothing */
  async remove(by: UserId, group: GroupId, user: UserId): Promise<{ id: MessageId }> {
    const body =
      by === user
        ? ({ type: 'event', event: 'member_left', users: [user] } as const)
        : ({ type: 'event', event: 'member_removed', users: [user], by } as const)
    const tail = eventTail(groupConv(group), by, { ...body, users: [user] })
    const done = await this.#tellings.during(group, async () => {
      const removed = await this.#groups.remove(group, by, user, tail)
      if (removed.is === 'ok')
        await this.#tellings.tell({ change: 'exit', group, id: removed.id, users: [user], tail })
      return removed
    })
    if (done.is !== 'ok') throw refusal(done.is)
    return { id: done.id }
  }
}
