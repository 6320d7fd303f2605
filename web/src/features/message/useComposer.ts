/** A message being written: its draft, which is kept when one looks elsewhere, its size, and the sending. */
import { MAX_BODY_BYTES } from '@starling/protocol/limits'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { useConnectionStore } from '../../stores/connection.ts'
import { useMessagesStore } from '../../stores/messages.ts'
import { usePresenceStore } from '../../stores/presence.ts'

const utf8 = new TextEncoder()
const bytesOf = (text: string) => utf8.encode(JSON.stringify({ type: 'text', text })).length

export function useComposer(conv: string, target: MaybeRefOrGetter<string>) {
  const connection = useConnectionStore()
  const messages = useMessagesStore()
  const presence = usePresenceStore()

  const text = computed({
    get: () => messages.drafts.get(conv) ?? '',
    set(value) {
      messages.drafts.set(conv, value)
      if (value !== '' && !conv.startsWith('channel:')) presence.typing(toValue(target))
    },
  })
  const limit = computed(() => connection.welcome?.limits.body ?? MAX_BODY_BYTES)
  /** Bytes above the limit. */
  const excess = computed(() => Math.max(0, bytesOf(text.value.trim()) - limit.value))
  const ready = computed(() => text.value.trim() !== '' && excess.value === 0)

  function send(): void {
    if (!ready.value) return
    messages.sendText(toValue(target), text.value.trim())
    messages.drafts.delete(conv)
  }

  return { text, excess, ready, send }
}
