/** Asks before what can't be undone, and says so when it has failed. */
import { useDialog, useMessage } from 'naive-ui'
import { useI18n } from 'vue-i18n'
import { failureText } from '../lib/failure.ts'

export function useConfirm() {
  const { t } = useI18n()
  const dialog = useDialog()
  const toast = useMessage()

  /** Runs `work` once the question is answered with yes; what it throws is shown. */
  return function confirm(title: string, question: string, work: () => Promise<unknown> | void): void {
    dialog.warning({
      title,
      content: question,
      positiveText: t('group.ok'),
      negativeText: t('group.cancel'),
      showIcon: false,
      onPositiveClick: async () => {
        try {
          await work()
        } catch (error) {
          toast.error(failureText(error))
        }
      },
    })
  }
}
