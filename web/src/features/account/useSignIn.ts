/** The sign-in form: what was typed, what is missing, and the one call that each way in ends with. */
import { ID_PATTERN } from '@starling/protocol/ids'
import { computed, reactive, shallowRef } from 'vue'
import { failureText } from '../../lib/failure.ts'
import { useAccountStore } from '../../stores/account.ts'

export const WAYS = ['guest', 'login', 'register'] as const
export type Way = (typeof WAYS)[number]

const PASSWORD_MIN = 8

export function useSignIn(done: () => void) {
  const account = useAccountStore()
  const way = shallowRef<Way>('guest')
  const typed = reactive({ name: '', id: '', password: '' })
  const state = shallowRef<'idle' | 'loading' | 'error'>('idle')
  const problem = shallowRef('')

  const ready = computed(() => {
    if (way.value === 'guest') return typed.name.trim() !== ''
    const wanted = way.value === 'register' ? PASSWORD_MIN : 1
    return ID_PATTERN.test(typed.id.trim()) && typed.password.length >= wanted
  })

  function call(): Promise<void> {
    const name = typed.name.trim()
    const id = typed.id.trim()
    switch (way.value) {
      case 'guest':
        return account.enterAsGuest(name)
      case 'login':
        return account.logIn(id, typed.password)
      case 'register':
        return account.register(id, typed.password, name)
    }
  }

  async function submit(): Promise<void> {
    if (!ready.value || state.value === 'loading') return
    state.value = 'loading'
    try {
      await call()
      done()
    } catch (error) {
      problem.value = failureText(error)
      state.value = 'error'
    }
  }

  function choose(next: Way): void {
    way.value = next
    if (state.value === 'error') state.value = 'idle'
  }

  return { way, typed, state, problem, ready, submit, choose }
}
