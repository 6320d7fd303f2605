/** Asks before what can't be undone, and says so when it has failed. */
import { useDialog, useMessage } from 'naive-ui'
import { useI18n } from 'vue-i18n'
import { failureText } from '../lib/failure.ts'

export function useConfirm() {
  const { t } = useI18n()
  const dialog = useDialog()
  const toast = useMessage()

  /** Runs `work` once the question is answered by what `title` says; what it throws is shown. */
  return function confirm(title: string, question: string, work: () => unknown): void {
    dialog.create({
      title,
      content: question,
      type: 'error',
      positiveText: title,
      negativeText: t('group.cancel'),
      positiveButtonProps: { size: 'medium' },
      negativeButtonProps: { size: 'medium', type: 'default', quaternary: true },
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
