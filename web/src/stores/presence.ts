/**
 * Who is online: the whole list, live while the cluster is small enough for that, with its total; the other
 * users of one's dms in any case; and who is typing where.
 */
import { WATCH_PER_FRAME } from '@starling/protocol/limits'
import { defineStore } from 'pinia'
import { computed, shallowReactive, shallowRef } from 'vue'
import { useAccountStore } from './account.ts'
import { useConnectionStore } from './connection.ts'
import { usePeopleStore } from './people.ts'

/** A `typing` frame is repeated every 3 s while keys are pressed. */
const TYPING_MS = 5_000

export const usePresenceStore = defineStore('presence', () => {
  const { api } = useAccountStore()
  const { client, me } = useConnectionStore()
  const people = usePeopleStore()

  const online = shallowReactive(new Set<string>())
  const total = shallowRef<number>()
  const cursor = shallowRef<string>()
  const listing = shallowRef<'idle' | 'loading' | 'done' | 'error'>('idle')
  const watched = new Set<string>()
  const typists = shallowReactive(new Map<string, Map<string, ReturnType<typeof setTimeout>>>())

  // What happened while the line was down is unknown; the renewed watches and the list say it anew.
  client.on('welcome', () => {
    online.clear()
    online.add(me)
    void loadList()
  })

  client.on('presence', (change) => {
    for (const id of change.off) online.delete(id)
    for (const id of change.on) online.add(id)
    if (change.total !== undefined) total.value = change.total
    people.need(change.on)
  })

  async function loadPage(from: string | undefined): Promise<void> {
    listing.value = 'loading'
    try {
      const page = await api.online({ limit: 100, ...(from !== undefined && { cursor: from }) })
      for (const { id } of page.users) online.add(id)
      people.learn(page.users)
      total.value = page.total
      cursor.value = page.cursor
      listing.value = 'done'
    } catch {
      listing.value = 'error'
    }
  }

  const loadList = () => loadPage(undefined)

  /** Loads the next page of the online list, where there is one. */
  async function loadMore(): Promise<void> {
    if (listing.value !== 'loading' && cursor.value !== undefined) await loadPage(cursor.value)
  }

  /** Watches everybody; the SDK renews it on every line. */
  async function watchAll(): Promise<void> {
    const all = await client.watch(['*'])
    if (all.total !== undefined) total.value = all.total
  }

  /** Watches the given users for good; what is known of them now comes as a `presence` event would. */
  async function watchUsers(ids: Iterable<string>): Promise<void> {
    const fresh = [...ids].filter((id) => !watched.has(id))
    for (const id of fresh) watched.add(id)
    for (let at = 0; at < fresh.length; at += WATCH_PER_FRAME) {
      const { on } = await client.watch(fresh.slice(at, at + WATCH_PER_FRAME))
      for (const id of on) online.add(id)
    }
  }

  function stopTyping(conv: string, user: string): void {
    const now = typists.get(conv)
    if (now === undefined || !now.has(user)) return
    clearTimeout(now.get(user))
    const rest = new Map(now)
    rest.delete(user)
    if (rest.size === 0) typists.delete(conv)
    else typists.set(conv, rest)
  }

  client.on('typing', ({ conv, from }) => {
    if (from === me) return
    stopTyping(conv, from)
    people.need([from])
    typists.set(
      conv,
      new Map(typists.get(conv)).set(
        from,
        setTimeout(() => stopTyping(conv, from), TYPING_MS),
      ),
    )
  })
  // Who has sent has stopped typing.
  client.on('message', ({ conv, from }) => stopTyping(conv, from))

  const typing = (to: string) => client.typing(to)
  const typistsIn = (conv: string) => [...(typists.get(conv)?.keys() ?? [])]
  const others = computed(() => [...online].filter((id) => id !== me))

  return {
    online,
    others,
    total,
    cursor,
    listing,
    loadList,
    loadMore,
    watchAll,
    watchUsers,
    typing,
    typistsIn,
  }
})
