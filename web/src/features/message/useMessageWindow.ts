/**
 * The part of a log that is in the document: a window of it that follows the tail, and moves up and down as one
 * scrolls, while what is being looked at stays where it is. What lies above the log comes from `loadOlder`.
 */
import type { Message } from '@starling/protocol/frames'
import { useEventListener, useResizeObserver } from '@vueuse/core'
import { computed, nextTick, type Ref, type ShallowRef, shallowRef, watch } from 'vue'
import { indexOf } from '../../lib/log.ts'

/** Messages in the document at most, but for a step; and how many come or go at once. */
const WINDOW = 180
const STEP = 60
/** Closer than this to an edge, in pixels, more is shown. */
const NEAR = 500
const AT_BOTTOM = 48

interface Options {
  scroller: Readonly<ShallowRef<HTMLElement | null>>
  content: Readonly<ShallowRef<HTMLElement | null>>
  messages: Readonly<Ref<readonly Message[]>>
  /** Changes with everything that is drawn below the log. */
  tail: () => unknown
  loadOlder: () => Promise<void>
}

export function useMessageWindow({ scroller, content, messages, tail, loadOlder }: Options) {
  /** Ids of the first message shown, and of the last where it isn't the newest. */
  const top = shallowRef<string>()
  const bottom = shallowRef<string>()
  const atBottom = shallowRef(true)
  let moving = false

  const start = computed(() => {
    const first = top.value === undefined ? messages.value.length - STEP : indexOf(messages.value, top.value)
    return Math.max(0, first)
  })
  const end = computed(() =>
    bottom.value === undefined ? messages.value.length : indexOf(messages.value, bottom.value) + 1,
  )
  const shown = computed(() => messages.value.slice(start.value, end.value))

  const idAt = (index: number) => messages.value[Math.max(0, index)]?.id

  /** Changes the window and puts the first message in sight back where it was; lines between days may move. */
  async function keepingPlace(change: () => void): Promise<void> {
    const box = scroller.value
    if (box === null || moving) return
    moving = true
    try {
      const edge = box.getBoundingClientRect().top
      const rows = [...box.querySelectorAll<HTMLElement>('[data-row="message"], [data-row="event"]')]
      // Measured before the document follows the change, and again after.
      const row = rows.find((one) => one.getBoundingClientRect().bottom > edge)
      const was = row?.getBoundingClientRect().top
      change()
      await nextTick()
      if (row?.isConnected && was !== undefined) box.scrollTop += row.getBoundingClientRect().top - was
    } finally {
      moving = false
    }
  }

  async function showOlder(): Promise<void> {
    if (start.value === 0) {
      const oldest = idAt(0)
      await loadOlder()
      if (oldest === undefined || idAt(0) === oldest) return
      // The window still starts at what was the oldest; the step below moves it into the new ones.
      top.value ??= oldest
    }
    await keepingPlace(() => {
      top.value = idAt(start.value - STEP)
      if (end.value - start.value > WINDOW) bottom.value = idAt(start.value + WINDOW)
    })
  }

  async function showNewer(): Promise<void> {
    await keepingPlace(() => {
      const to = end.value + STEP
      const from = Math.max(start.value, to - WINDOW)
      bottom.value = to >= messages.value.length ? undefined : idAt(to - 1)
      top.value = idAt(from)
    })
  }

  function toBottom(): void {
    const box = scroller.value
    if (box !== null) box.scrollTop = box.scrollHeight
    atBottom.value = true
  }

  /** Shows the newest messages, wherever one was. */
  async function toNewest(): Promise<void> {
    bottom.value = undefined
    top.value = idAt(messages.value.length - STEP)
    await nextTick()
    toBottom()
  }

  /** Makes sure that `id` is in the document. */
  async function include(id: string): Promise<void> {
    const index = indexOf(messages.value, id)
    if (index < start.value) top.value = idAt(index - 10)
    await nextTick()
  }

  async function look(): Promise<void> {
    const box = scroller.value
    if (box === null || moving) return
    const below = box.scrollHeight - box.scrollTop - box.clientHeight
    atBottom.value = bottom.value === undefined && below < AT_BOTTOM
    if (box.scrollTop < NEAR) await showOlder()
    else if (bottom.value !== undefined && below < NEAR) await showNewer()
  }

  useEventListener(scroller, 'scroll', () => void look(), { passive: true })

  // Who is at the bottom stays there, whatever grows: the log, a keyboard, the composer.
  watch([messages, tail], () => {
    if (!atBottom.value) return
    if (end.value - start.value > WINDOW + STEP) top.value = idAt(end.value - WINDOW)
    void nextTick(toBottom)
  })
  useResizeObserver([scroller, content], () => {
    if (atBottom.value) toBottom()
    else void look()
  })

  return { shown, start, atBottom, toNewest, include }
}
