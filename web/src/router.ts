/**
 * Where one can be: named routes behind `#`, so that any server of plain files will do. Pages are not loaded one by
 * one: together they are small, and gateways of two releases side by side can't hand out halves that don't fit.
 */
import type { Pinia } from 'pinia'
import { createRouter, createWebHashHistory, type Router } from 'vue-router'
import AccountPage from './pages/AccountPage.vue'
import ChatsPage from './pages/ChatsPage.vue'
import ConversationPage from './pages/ConversationPage.vue'
import HomePage from './pages/HomePage.vue'
import JoinPage from './pages/JoinPage.vue'
import NothingPicked from './pages/NothingPicked.vue'
import SignInPage from './pages/SignInPage.vue'
import { useAccountStore } from './stores/account.ts'

export function createAppRouter(pinia: Pinia): Router {
  const router = createRouter({
    history: createWebHashHistory(),
    routes: [
      { path: '/sign-in', name: 'signIn', component: SignInPage },
      {
        path: '/',
        component: HomePage,
        children: [
          { path: 'account', name: 'account', component: AccountPage },
          {
            path: '',
            component: ChatsPage,
            redirect: { name: 'chats' },
            children: [
              { path: 'chats', name: 'chats', component: NothingPicked },
              { path: 'people', name: 'people', component: NothingPicked },
              {
                path: 'chats/:conv',
                name: 'conversation',
                component: ConversationPage,
              },
              { path: 'join/:group', name: 'join', component: JoinPage },
            ],
          },
        ],
      },
      { path: '/:rest(.*)*', redirect: { name: 'chats' } },
    ],
  })

  const account = useAccountStore(pinia)
  router.beforeEach((to) => {
    const signedIn = account.user !== undefined
    if (to.name === 'signIn') return signedIn ? { name: 'chats' } : true
    // An invitation is not lost on those who have to sign in first.
    return signedIn || { name: 'signIn', query: to.name === 'join' ? { to: to.fullPath } : {} }
  })
  return router
}
