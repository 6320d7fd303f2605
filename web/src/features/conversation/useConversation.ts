/** What a conversation is to the one who has it open: its kind, where to write, and whether one may. */
import { parseConv } from '@starling/protocol/ids'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { useConversationsStore } from '../../stores/conversations.ts'
import { useMessagesStore } from '../../stores/messages.ts'

export function useConversation(conv: MaybeRefOrGetter<string>) {
  const conversations = useConversationsStore()
  const messages = useMessagesStore()

  const parts = computed(() => parseConv(toValue(conv)))
  const peer = computed(() => conversations.peerOf(toValue(conv)))
  const group = computed(() => (parts.value?.kind === 'group' ? parts.value.group : undefined))
  const target = computed(() => (peer.value === undefined ? toValue(conv) : `user:${peer.value}`))
  const writable = computed(() => !messages.readOnly.has(toValue(conv)))

  return { kind: computed(() => parts.value?.kind), peer, group, target, writable }
}
