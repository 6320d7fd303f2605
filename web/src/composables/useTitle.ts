/** The window's title: how much is unread, for who looks at another tab. */
import { watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'
import { useConversationsStore } from '../stores/conversations.ts'

export function useTitle(): void {
  const { t } = useI18n()
  const conversations = useConversationsStore()
  watchEffect(() => {
    const name = t('app.name')
    const count = conversations.unreadTotal
    document.title = count === 0 ? name : t('app.titleUnread', { count: count > 99 ? '99+' : count, name })
  })
}
