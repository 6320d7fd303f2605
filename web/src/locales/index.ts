/** The languages of the page: which there are, which one is spoken, and the one instance that translates. */
import { useLocalStorage } from '@vueuse/core'
import { watchEffect } from 'vue'
import { createI18n } from 'vue-i18n'
import en from './en.ts'
import zhCN from './zh-CN.ts'

export type Messages = typeof en
export const LOCALES = ['zh-CN', 'en'] as const
export type Locale = (typeof LOCALES)[number]

/** The browser's language where we speak it; English otherwise. */
const preferred = (): Locale => (navigator.languages.some((tag) => tag.startsWith('zh')) ? 'zh-CN' : 'en')

/** The chosen language; kept in the browser. */
export const locale = useLocalStorage<Locale>('starling.locale', preferred, { writeDefaults: false })

export const i18n = createI18n<[Messages], Locale, false>({
  legacy: false,
  locale: LOCALES.includes(locale.value) ? locale.value : 'en',
  fallbackLocale: 'en',
  messages: { en, 'zh-CN': zhCN },
})

watchEffect(() => {
  if (!LOCALES.includes(locale.value)) locale.value = 'en'
  i18n.global.locale.value = locale.value
  document.documentElement.lang = locale.value
})

declare module 'vue-i18n' {
  export interface DefineLocaleMessage extends Messages {}
}
