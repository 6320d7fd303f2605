/**
 * The live side of the SDK: one client for the signed-in user, its state, the gateway it is on, and the user's
 * sessions. Other stores listen to the client; nobody else touches it.
 */
import { browserDevice, browserStorage, createClient } from '@starling/client'
import type { SessionInfo, Welcome } from '@starling/protocol/frames'
import { defineStore } from 'pinia'
import { computed, markRaw, shallowRef } from 'vue'
import { platformName } from '../lib/platform.ts'
import { useAccountStore } from './account.ts'

export const useConnectionStore = defineStore('connection', () => {
  const account = useAccountStore()
  if (account.user === undefined) throw new Error('the connection needs a signed-in user')
  const me = account.user.id

  const client = markRaw(
    createClient({
      endpoints: [location.origin],
      device: browserDevice(),
      platform: platformName(navigator.userAgent),
      getToken: account.token,
      storage: browserStorage(me),
    }),
  )

  const state = shallowRef(client.state)
  const welcome = shallowRef<Welcome>()
  const sessions = shallowRef<SessionInfo[]>([])
  const node = computed(() =>
    state.value === 'live' || state.value === 'syncing' ? welcome.value?.node : undefined,
  )

  client.on('state', ({ to }) => {
    state.value = to
  })
  client.on('welcome', (frame) => {
    welcome.value = frame
  })
  client.on('session', (list) => {
    sessions.value = list
  })
  client.on('close', ({ code }) => {
    if (code === 4003) account.end('closedElsewhere')
  })
  client.on('error', (error) => console.error(error))

  async function closeSession(session: string): Promise<void> {
    await account.api.closeSession(session)
  }

  return { me, client, state, node, welcome, sessions, closeSession }
})
