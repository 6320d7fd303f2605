/** Reads out what others write in the open conversation; history that is scrolled into view stays silent. */
import { shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useNames } from '../../composables/useNames.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useConversationsStore } from '../../stores/conversations.ts'
import { usePeopleStore } from '../../stores/people.ts'

export function useAnnouncer(conv: string) {
  const { t } = useI18n()
  const { me } = useConnectionStore()
  const people = usePeopleStore()
  const conversations = useConversationsStore()
  const { summaryOf } = useNames()
  const text = shallowRef('')

  watch(
    () => conversations.entries.get(conv)?.last,
    (last, before) => {
      if (last === undefined || before === undefined || last.id === before.id || last.from === me) return
      const said = summaryOf(last)
      text.value =
        last.body.type === 'event'
          ? said
          : t('message.incoming', { name: people.nameOf(last.from), text: said })
    },
  )
  return text
}
