/** Marks a conversation as read while its newest message is in sight of somebody, and where unread ones begin. */
import { useDocumentVisibility, useWindowFocus } from '@vueuse/core'
import { computed, type MaybeRefOrGetter, shallowRef, toValue, watch } from 'vue'
import { useConversationsStore } from '../../stores/conversations.ts'

export function useReadMark(
  conv: string,
  atBottom: MaybeRefOrGetter<boolean>,
  newest: MaybeRefOrGetter<string | undefined>,
) {
  const conversations = useConversationsStore()
  const visibility = useDocumentVisibility()
  const focused = useWindowFocus()
  const looking = computed(() => visibility.value === 'visible' && focused.value)

  const entry = () => conversations.entries.get(conv)
  const unreadAtFirst = entry()?.unread ?? 0
  /** The line above what is new stands after this; it stays while one reads. */
  const lineAfter = shallowRef(unreadAtFirst > 0 ? entry()?.read : undefined)

  watch(
    [looking, () => toValue(atBottom), () => toValue(newest)],
    () => {
      const id = toValue(newest)
      if (!looking.value || !toValue(atBottom) || id === undefined) return
      conversations.read(conv, id).catch(() => {
        // The client was closed; the next one to look marks it.
      })
    },
    { immediate: true, flush: 'post' },
  )

  // What comes while nobody looks is new to them when they are back.
  watch(looking, (now) => {
    if (!now && entry()?.unread === 0) lineAfter.value = entry()?.read
  })

  /** Who answers has seen it all. */
  const clearLine = () => {
    lineAfter.value = undefined
  }

  return { unreadAtFirst, lineAfter, clearLine }
}
