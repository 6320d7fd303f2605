/** Says why a group is gone from the list, and leaves its page. */
import { useMessage } from 'naive-ui'
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute, useRouter } from 'vue-router'
import { useNames } from '../../composables/useNames.ts'
import { useConversationsStore } from '../../stores/conversations.ts'

export function useEndings(): void {
  const { t } = useI18n()
  const toast = useMessage()
  const route = useRoute()
  const router = useRouter()
  const conversations = useConversationsStore()
  const { titleOf } = useNames()

  watch(
    () => conversations.ended,
    (end) => {
      if (end === undefined) return
      toast.info(t(`group.${end.ending}`, { name: end.title ?? titleOf(end.conv) }))
      if (route.params['conv'] === end.conv) void router.replace({ name: 'chats' })
    },
  )
}
