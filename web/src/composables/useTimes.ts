/** Times in the page's language, and the day that it is. */
import { useIntervalFn } from '@vueuse/core'
import { computed, shallowRef } from 'vue'
import { locale } from '../locales/index.ts'

const DAY_MS = 86_400_000
const today = shallowRef(startOfDay(Date.now()))
useIntervalFn(() => {
  today.value = startOfDay(Date.now())
}, 30_000)

/** @returns Unix ms of the local midnight before */
export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

const formats = computed(() => {
  const of = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale.value, options)
  return {
    clock: of({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    weekday: of({ weekday: 'long' }),
    weekdayShort: of({ weekday: 'short' }),
    day: of({ month: 'long', day: 'numeric', weekday: 'long' }),
    dayShort: of({ month: 'numeric', day: 'numeric' }),
    year: of({ year: 'numeric', month: 'long', day: 'numeric' }),
    moment: of({ dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }),
    full: of({ dateStyle: 'full', timeStyle: 'medium', hourCycle: 'h23' }),
    relative: new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto' }),
  }
})

/** Today, yesterday: as a line of its own begins. */
function dayWord(days: number): string {
  const word = formats.value.relative.format(-Math.max(0, days), 'day')
  return word.charAt(0).toLocaleUpperCase(locale.value) + word.slice(1)
}

/** Days between then and now, as calendars count. */
const daysAgo = (ms: number) => Math.round((today.value - startOfDay(ms)) / DAY_MS)

export function useTimes() {
  const clock = (ms: number) => formats.value.clock.format(ms)
  const moment = (ms: number) => formats.value.moment.format(ms)
  const full = (ms: number) => formats.value.full.format(ms)
  const date = (ms: number) => formats.value.year.format(ms)

  /** Short enough for a list: the time of today, the weekday of this week, a date. */
  function brief(ms: number): string {
    const days = daysAgo(ms)
    if (days <= 0) return clock(ms)
    if (days === 1) return dayWord(1)
    return days < 7 ? formats.value.weekdayShort.format(ms) : formats.value.dayShort.format(ms)
  }

  /** For the line between two days. */
  function day(ms: number): string {
    const days = daysAgo(ms)
    if (days <= 1) return dayWord(days)
    return days < 330 ? formats.value.day.format(ms) : formats.value.year.format(ms)
  }

  return { clock, moment, full, date, brief, day }
}
