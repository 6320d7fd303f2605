/**
 * Groups: making them, who is in them, who may do what. The group's own script decides and writes the event;
 * then each user concerned is told through their own inbox. A call that failed in between is repeated as it is.
 */
import { ProtocolError } from '@starling/protocol/errors'
import { type GroupId, groupConv, type MessageId, msOf, type UserId } from '@starling/protocol/ids'
import { v7 as uuid } from 'uuid'
import { eventTail, eventTailAround } from './message-json.ts'
import type { GroupPort, NewGroup } from './ports.ts'

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

  constructor(groups: GroupPort) {
    this.#groups = groups
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
    const created = await this.#groups.create(id, owner, made, others, tail)
    if (created.is === 'conflict') throw new ProtocolError('conflict', 'the group exists')
    await this.#note('enter', users, id, created.id, tail)
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
    const tail = eventTailAround(groupConv(group), by, (list) => ({
      type: 'event',
      event: 'member_joined',
      users: list,
      by,
    }))
    const done = await this.#groups.add(group, by, wanted, tail)
    if (done.is !== 'ok') throw refusal(done.is)
    // Those who were members already are told again if their own books don't have it: an earlier call broke off.
    const event =
      done.tail ||
      eventTail(groupConv(group), by, { type: 'event', event: 'member_joined', users: wanted, by })
    await this.#note('enter', wanted, group, done.id, event)
    return { added: done.added, id: done.id }
  }

  /** Removes a member, or leaves. @returns the id behind which they get nothing */
  async remove(by: UserId, group: GroupId, user: UserId): Promise<{ id: MessageId }> {
    const body =
      by === user
        ? ({ type: 'event', event: 'member_left', users: [user] } as const)
        : ({ type: 'event', event: 'member_removed', users: [user], by } as const)
    const tail = eventTail(groupConv(group), by, { ...body, users: [user] })
    const done = await this.#groups.remove(group, by, user, tail)
    if (done.is !== 'ok') throw refusal(done.is)
    await this.#note('exit', [user], group, done.id, tail)
    return { id: done.id }
  }

  async #note(
    change: 'enter' | 'exit',
    users: readonly UserId[],
    group: GroupId,
    id: MessageId,
    tail: string,
  ) {
    await Promise.all(users.map((user) => this.#groups.noteMembership(change, user, group, id, tail)))
  }
}
