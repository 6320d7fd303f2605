/** One thing a button starts: its state, and its failure in words. */
import { useMessage } from 'naive-ui'
import { shallowRef } from 'vue'
import { failureText } from '../lib/failure.ts'

export type TaskState = 'idle' | 'loading' | 'done' | 'error'

export function useTask<Args extends unknown[]>(work: (...args: Args) => Promise<unknown>) {
  const toast = useMessage()
  const state = shallowRef<TaskState>('idle')

  async function run(...args: Args): Promise<void> {
    if (state.value === 'loading') return
    state.value = 'loading'
    try {
      await work(...args)
      state.value = 'done'
    } catch (error) {
      state.value = 'error'
      toast.error(failureText(error))
    }
  }

  return { state, run }
}
