/** Light or dark: the user's choice, kept in the browser, or the system's. */
import { useLocalStorage, usePreferredDark } from '@vueuse/core'
import { computed, watchEffect } from 'vue'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const chosen = useLocalStorage<Theme>('starling.theme', 'auto', { writeDefaults: false })
const systemDark = usePreferredDark()
const dark = computed(() => chosen.value === 'dark' || (chosen.value !== 'light' && systemDark.value))

const GROUND = { light: '#eef0f7', dark: '#0b0e1c' }

watchEffect(() => {
  const root = document.documentElement
  root.dataset['theme'] = dark.value ? 'dark' : 'light'
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    meta.content = dark.value ? GROUND.dark : GROUND.light
  }
})

export const useTheme = () => ({ theme: chosen, dark })
