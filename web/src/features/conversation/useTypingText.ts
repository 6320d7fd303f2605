/** Who is typing in a conversation, in words. */
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { useI18n } from 'vue-i18n'
import { usePeopleStore } from '../../stores/people.ts'
import { usePresenceStore } from '../../stores/presence.ts'

export function useTypingText(conv: MaybeRefOrGetter<string>) {
  const { t } = useI18n()
  const presence = usePresenceStore()
  const people = usePeopleStore()
  return computed(() => {
    const [first, second, ...rest] = presence.typistsIn(toValue(conv)).map(people.nameOf)
    if (first === undefined) return ''
    if (second === undefined) return t('conversation.typing', { name: first })
    return rest.length === 0 ? t('conversation.typingTwo', { first, second }) : t('conversation.typingMany')
  })
}
