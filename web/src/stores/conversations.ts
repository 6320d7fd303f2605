/**
 * The conversation list: one entry per conversation with its newest message, read positions and unread count,
 * kept up to date by everything that happens live. The messages themselves are in the messages store.
 */
import type { ConversationEntry, MessageFrame } from '@starling/protocol/frames'
import { comparePositions, laterOf, ORIGIN, parseConv, peerIn, seqOf } from '@starling/protocol/ids'
import { SYNCED_CONVS } from '@starling/protocol/limits'
import { defineStore } from 'pinia'
import { computed, shallowReactive, shallowRef } from 'vue'
import { type Ending, endsFor } from '../lib/events.ts'
import { useAccountStore } from './account.ts'
import { useConnectionStore } from './connection.ts'
import { usePeopleStore } from './people.ts'
import { usePresenceStore } from './presence.ts'

/** The order of ids is the order of time in one conversation; across conversations this is near enough. */
const byNewest = (a: ConversationEntry, b: ConversationEntry) => comparePositions(b.head, a.head)

/** Unread is what lies between the read position and the head: ids are dense. */
const withUnread = (entry: ConversationEntry): ConversationEntry => ({
  ...entry,
  unread: Math.max(0, seqOf(entry.head) - seqOf(entry.read)),
})

export const useConversationsStore = defineStore('conversations', () => {
  const { api } = useAccountStore()
  const { client, me } = useConnectionStore()
  const people = usePeopleStore()
  const presence = usePresenceStore()

  const entries = shallowReactive(new Map<string, ConversationEntry>())
  const cursor = shallowRef<string>()
  const state = shallowRef<'loading' | 'done' | 'error'>('loading')
  const ended = shallowRef<{ conv: string; ending: Ending; title: string | undefined }>()
  /** Groups that this user has left while the page was open: a late frame must not bring them back. */
  const left = new Map<string, string>()

  const newestFirst = computed(() => [...entries.values()].sort(byNewest))
  const unreadTotal = computed(() => newestFirst.value.reduce((sum, entry) => sum + entry.unread, 0))

  /** The other user of a dm; undefined for groups and channels. */
  function peerOf(conv: string): string | undefined {
    const parts = parseConv(conv)
    return parts?.kind === 'dm' ? peerIn(parts.users, me) : undefined
  }

  function learnNames(list: readonly ConversationEntry[]): void {
    const peers = list.flatMap((entry) => peerOf(entry.conv) ?? [])
    people.need([...peers, ...list.flatMap((entry) => entry.last?.from ?? [])])
    presence.watchUsers(peers).catch(() => {
      // The line went down; dots are filled in by the next watch.
    })
  }

  /** Takes what the server says, except where something newer has been heard live meanwhile. */
  function take(list: readonly ConversationEntry[]): void {
    for (const entry of list) {
      const known = entries.get(entry.conv)
      if (known === undefined) {
        entries.set(entry.conv, entry)
        continue
      }
      const behind = comparePositions(known.head, entry.head) > 0
      const newest = behind && known.last ? { head: known.head, last: known.last } : {}
      entries.set(entry.conv, withUnread({ ...entry, ...newest, read: laterOf(known.read, entry.read) }))
    }
    learnNames(list)
  }

  /** Loads the next page of older conversations; the first pages repeat what the sync has brought. */
  async function loadMore(): Promise<void> {
    state.value = 'loading'
    try {
      const page = await api.conversations({
        limit: 100,
        ...(cursor.value !== undefined && { cursor: cursor.value }),
      })
      take(page.conversations)
      cursor.value = page.cursor
      state.value = 'done'
    } catch {
      state.value = 'error'
    }
  }

  /** Asks for one conversation that has shown up or changed in a way that only the server can tell. */
  async function refresh(conv: string): Promise<void> {
    take([await api.conversation(conv)])
  }

  function drop(conv: string, ending: Ending, at: string): void {
    const title = entries.get(conv)?.title
    left.set(conv, at)
    entries.delete(conv)
    ended.value = { conv, ending, title }
  }

  function heard(message: MessageFrame): void {
    const { conv, id, from } = message
    const leftAt = left.get(conv)
    if (leftAt !== undefined && comparePositions(id, leftAt) <= 0) return
    const ending = endsFor(me, message)
    if (ending !== undefined) {
      if (!entries.has(conv) || comparePositions(entries.get(conv)!.head, id) <= 0) drop(conv, ending, id)
      return
    }
    const known = entries.get(conv)
    if (known === undefined) {
      // What was read before is the server's to say; until then the message alone is new.
      const read = from === me ? id : ORIGIN
      entries.set(conv, { conv, head: id, read, unread: from === me ? 0 : 1, last: message })
      learnNames([entries.get(conv)!])
      refresh(conv).catch(() => {})
      return
    }
    const read = from === me ? laterOf(known.read, id) : known.read
    const newest = comparePositions(id, known.head) >= 0
    entries.set(conv, withUnread({ ...known, read, ...(newest && { head: id, last: message }) }))
    people.need([from])
    if (message.body.type === 'event') refresh(conv).catch(() => {})
  }

  /** Marks everything up to `id` as read, here at once and on the server as soon as there is a line. */
  async function read(conv: string, id: string): Promise<void> {
    const known = entries.get(conv)
    if (known === undefined || comparePositions(id, known.read) <= 0) return
    entries.set(conv, withUnread({ ...known, read: id }))
    await client.read(conv, id)
  }

  // The first list of a session is the whole one, as far as it goes: a group that is not in it is no longer ours.
  let whole = false
  client.on('welcome', () => {
    whole = true
  })
  client.on('conversations', (list) => {
    if (whole && list.length < SYNCED_CONVS) {
      const listed = new Set(list.map((entry) => entry.conv))
      for (const conv of entries.keys())
        if (conv.startsWith('group:') && !listed.has(conv)) entries.delete(conv)
    }
    whole = false
    take(list)
    state.value = 'done'
  })
  client.on('message', heard)
  client.on('unread', ({ conv, read, unread }) => {
    const known = entries.get(conv)
    if (known !== undefined) entries.set(conv, { ...known, read: laterOf(known.read, read), unread })
  })
  client.on('receipt', ({ conv, read, received }) => {
    const known = entries.get(conv)
    if (known === undefined) return
    const peerRead = read === undefined ? known.peerRead : laterOf(known.peerRead ?? ORIGIN, read)
    const peerReceived =
      received === undefined ? known.peerReceived : laterOf(known.peerReceived ?? ORIGIN, received)
    entries.set(conv, { ...known, ...(peerRead && { peerRead }), ...(peerReceived && { peerReceived }) })
  })

  return { entries, newestFirst, unreadTotal, cursor, state, ended, peerOf, take, loadMore, refresh, read }
})
