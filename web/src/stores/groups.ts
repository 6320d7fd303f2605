/** Groups and their members: loaded when shown, loaded again when an event says that they have changed. */
import type { Group, Member } from '@starling/client'
import { groupConv, parseConv } from '@starling/protocol/ids'
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { useAccountStore } from './account.ts'
import { useConnectionStore } from './connection.ts'
import { useConversationsStore } from './conversations.ts'
import { usePeopleStore } from './people.ts'

export interface MemberList {
  members: Member[]
  total: number
  cursor: string | undefined
}

export interface NewGroup {
  name: string
  intro: string
  members: string[]
  join: 'invite' | 'open'
  history: 'joined' | 'all'
}

export const useGroupsStore = defineStore('groups', () => {
  const { api } = useAccountStore()
  const { client } = useConnectionStore()
  const conversations = useConversationsStore()
  const people = usePeopleStore()

  const groups = shallowReactive(new Map<string, Group>())
  const members = shallowReactive(new Map<string, MemberList>())

  async function load(id: string): Promise<Group> {
    const group = await api.group(id)
    groups.set(id, group)
    return group
  }

  /** Loads the first page of members, or the next one behind what is there. */
  async function loadMembers(id: string, which: 'first' | 'next' = 'first'): Promise<void> {
    const known = which === 'next' ? members.get(id) : undefined
    const page = await api.members(id, {
      limit: 100,
      ...(known?.cursor !== undefined && { cursor: known.cursor }),
    })
    people.need(page.members.map((member) => member.user))
    members.set(id, {
      members: [...(known?.members ?? []), ...page.members],
      total: page.total,
      cursor: page.cursor,
    })
  }

  client.on('message', ({ conv, body }) => {
    const parts = parseConv(conv)
    if (body.type !== 'event' || parts?.kind !== 'group' || body.event === 'message_recalled') return
    // Who has been removed is refused here; the conversation's end is told elsewhere.
    if (groups.has(parts.group)) load(parts.group).catch(() => groups.delete(parts.group))
    if (members.has(parts.group)) loadMembers(parts.group).catch(() => members.delete(parts.group))
  })

  /** @returns the new group's conversation */
  async function create({ intro, ...rest }: NewGroup): Promise<string> {
    const group = await api.createGroup({ ...rest, ...(intro !== '' && { intro }) })
    groups.set(group.id, group)
    const conv = groupConv(group.id)
    await conversations.refresh(conv)
    return conv
  }

  /** @returns how many of the users were not in the group before */
  async function invite(id: string, users: string[]): Promise<number> {
    const { added } = await api.addMembers(id, users)
    return added.length
  }

  /** Joins an open group. @returns its conversation */
  async function join(id: string, me: string): Promise<string> {
    await api.addMembers(id, [me])
    const conv = groupConv(id)
    await conversations.refresh(conv)
    return conv
  }

  const remove = (id: string, user: string) => api.removeMember(id, user)

  return { groups, members, load, loadMembers, create, invite, join, remove }
})
