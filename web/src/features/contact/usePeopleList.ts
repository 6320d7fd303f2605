/** The people a list shows: while nothing is searched those online, by name; else what the server finds. */
import type { User } from '@starling/protocol/frames'
import { refDebounced, watchThrottled } from '@vueuse/core'
import { computed, type Ref, shallowRef, watch } from 'vue'
import { locale } from '../../locales/index.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { usePeopleStore } from '../../stores/people.ts'
import { usePresenceStore } from '../../stores/presence.ts'

/** Thousands may come and go ten times a second; nobody reads that fast. */
const SORT_EVERY_MS = 400

export function usePeopleList(search: Ref<string>) {
  const { me } = useConnectionStore()
  const store = usePeopleStore()
  const presence = usePresenceStore()
  const found = shallowRef<User[]>([])
  const state = shallowRef<'idle' | 'loading' | 'done' | 'error'>('idle')

  const collator = computed(() => new Intl.Collator(locale.value, { numeric: true }))
  const online = shallowRef<User[]>([])
  watchThrottled(
    () => [...presence.online].map((id): User => store.profiles.get(id) ?? { id, name: id }),
    (users) => {
      online.value = users.sort(
        (a, b) => Number(b.id === me) - Number(a.id === me) || collator.value.compare(a.name, b.name),
      )
    },
    { immediate: true, throttle: SORT_EVERY_MS },
  )
  const people = computed(() => (search.value.trim() === '' ? online.value : found.value))

  let latest = 0
  watch(refDebounced(search, 200), async (text) => {
    const wanted = text.trim()
    const turn = ++latest
    if (wanted === '') {
      found.value = []
      state.value = 'idle'
      return
    }
    state.value = 'loading'
    try {
      const users = await store.search(wanted)
      // Answers may overtake each other.
      if (turn !== latest) return
      found.value = users
      state.value = 'done'
    } catch {
      if (turn === latest) state.value = 'error'
    }
  })

  return { people, state }
}
