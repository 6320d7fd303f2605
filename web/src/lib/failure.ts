/** Errors in the user's words. */
import { StarlingError } from '@starling/client'
import { i18n } from '../locales/index.ts'

/** @returns one sentence that says what went wrong, in the page's language */
export function failureText(error: unknown): string {
  const { t } = i18n.global
  if (!(error instanceof StarlingError))
    return error instanceof TypeError ? t('error.network') : t('error.unknown')
  if (error.code === 'disconnected' || error.code === 'closed') return t('error.network')
  return t(`error.${error.code}`, { message: error.message })
}
