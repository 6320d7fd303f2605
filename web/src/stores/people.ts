/** Names and pictures of users, fetched when first needed and many at a time. Whether they are online is not here. */
import type { User } from '@starling/protocol/frames'
import { SYSTEM } from '@starling/protocol/ids'
import { USERS_PER_QUERY } from '@starling/protocol/limits'
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { i18n } from '../locales/index.ts'
import { useAccountStore } from './account.ts'

/** How long wishes are gathered before they are asked for together. */
const GATHER_MS = 30

export const usePeopleStore = defineStore('people', () => {
  const { api } = useAccountStore()
  const profiles = shallowReactive(new Map<string, User>())
  /** Asked for or answered, those without a profile included. */
  const known = new Set<string>()
  let wanted: string[] = []

  function learn(users: readonly User[]): void {
    for (const user of users) {
      known.add(user.id)
      profiles.set(user.id, user)
    }
  }

  async function fetchWanted(): Promise<void> {
    const ids = wanted
    wanted = []
    for (let at = 0; at < ids.length; at += USERS_PER_QUERY) {
      const batch = ids.slice(at, at + USERS_PER_QUERY)
      try {
        learn((await api.users(batch)).users)
      } catch {
        // The id stands for the name; whoever needs them next asks again.
        for (const id of batch) known.delete(id)
      }
    }
  }

  /** Makes the names of these users known, soon. */
  function need(ids: Iterable<string>): void {
    for (const id of ids) {
      if (known.has(id)) continue
      known.add(id)
      if (wanted.push(id) === 1) setTimeout(() => void fetchWanted(), GATHER_MS)
    }
  }

  /** @returns the user's name, or the id while or where there is none */
  function nameOf(id: string): string {
    return profiles.get(id)?.name ?? (id === SYSTEM ? i18n.global.t('people.system') : id)
  }

  async function search(text: string): Promise<User[]> {
    const { users } = await api.searchUsers(text)
    learn(users)
    return users
  }

  return { profiles, learn, need, nameOf, search }
})
