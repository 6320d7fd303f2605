/**
 * Who this tab is: signing in and out, the tokens and their renewal, and the HTTP side of the SDK.
 * The WebSocket side lives in the connection store.
 */
import { createApi, StarlingError, type TokenReason } from '@starling/client'
import type { User } from '@starling/protocol/frames'
import { defineStore } from 'pinia'
import { markRaw, shallowRef } from 'vue'
import { alone, secondsLeft } from '../lib/token.ts'
import * as vault from '../lib/vault.ts'

/** Why the sign-in page is shown to one who was signed in: the tokens ended, or another device closed this one. */
export type Farewell = 'ended' | 'closedElsewhere'

const FAREWELL = 'starling.farewell'
/** A token is renewed this long before its end, so that no request starts with a dead one. */
const MARGIN_SECONDS = 30

export const useAccountStore = defineStore('account', () => {
  const account = vault.chosen()
  const user = shallowRef<User | undefined>(account?.user)
  const guest = shallowRef(account?.guest ?? false)
  const remembered = shallowRef(vault.all())
  const farewell = shallowRef(sessionStorage.getItem(FAREWELL) as Farewell | null)
  sessionStorage.removeItem(FAREWELL)

  const api = markRaw(createApi({ endpoint: location.origin, getToken: () => token('first') }))
  let handedOut: string | undefined

  /** The newest token that still lives; renews it, as the only tab that does, where there is none. */
  async function token(why: TokenReason): Promise<string> {
    const id = user.value?.id
    if (id === undefined) throw new StarlingError('unauthorized', 'nobody is signed in')
    const refused = why === 'first' ? undefined : handedOut
    try {
      return await alone(`starling.refresh.${id}`, async () => {
        const kept = vault.recall(id)
        if (kept === undefined) throw new StarlingError('unauthorized', 'signed out in another tab')
        if (kept.token === refused || secondsLeft(kept.token) < MARGIN_SECONDS) {
          const { token, refreshToken } = await api.refresh(kept.refreshToken)
          Object.assign(kept, { token, refreshToken })
          vault.keep(kept)
        }
        handedOut = kept.token
        return kept.token
      })
    } catch (error) {
      if (error instanceof StarlingError && error.code === 'unauthorized') end('ended')
      throw error
    }
  }

  function enter(grant: { user: User; token: string; refreshToken: string }, asGuest: boolean): void {
    vault.keep({ ...grant, guest: asGuest })
    vault.choose(grant.user.id)
    user.value = grant.user
    guest.value = asGuest
    farewell.value = null
  }

  async function enterAsGuest(name: string): Promise<void> {
    enter(await api.guest(name === '' ? {} : { name }), true)
  }

  async function logIn(id: string, password: string): Promise<void> {
    enter(await api.login({ id, password }), false)
  }

  async function register(id: string, password: string, name: string): Promise<void> {
    enter(await api.register({ id, password, ...(name !== '' && { name }) }), false)
  }

  function resume(id: string): void {
    const kept = vault.recall(id)
    if (kept === undefined) return
    vault.choose(id)
    user.value = kept.user
    guest.value = kept.guest
  }

  function forget(id: string): void {
    vault.forget(id)
    remembered.value = vault.all()
  }

  async function rename(name: string): Promise<void> {
    const changed = await api.updateMe({ name })
    user.value = changed
    const kept = vault.recall(changed.id)
    if (kept !== undefined) vault.keep({ ...kept, user: changed })
  }

  /** Back to the sign-in page. A fresh page is the one sure way to keep nothing of the user in memory. */
  function restart(): void {
    location.replace('#/sign-in')
    location.reload()
  }

  /** Signs this browser out; a guest is gone with it. */
  function signOut(): void {
    if (user.value !== undefined) vault.forget(user.value.id)
    vault.chooseNone()
    restart()
  }

  /** Leaves the account as it is and lets this tab be another user. */
  function switchAccount(): void {
    vault.chooseNone()
    restart()
  }

  /** What was signed in here is so no more, by somebody else's doing. */
  function end(why: Farewell): void {
    sessionStorage.setItem(FAREWELL, why)
    signOut()
  }

  return {
    user,
    guest,
    remembered,
    farewell,
    api,
    token,
    enterAsGuest,
    logIn,
    register,
    resume,
    forget,
    rename,
    signOut,
    switchAccount,
    end,
  }
})
