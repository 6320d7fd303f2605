/** Where one can be: named routes behind `#`, so that any server of plain files will do. */
import type { Pinia } from 'pinia'
import { createRouter, createWebHashHistory, type Router } from 'vue-router'
import { useAccountStore } from './stores/account.ts'

const NothingPicked = () => import('./pages/NothingPicked.vue')

export function createAppRouter(pinia: Pinia): Router {
  const router = createRouter({
    history: createWebHashHistory(),
    routes: [
      { path: '/sign-in', name: 'signIn', component: () => import('./pages/SignInPage.vue') },
      {
        path: '/',
        component: () => import('./pages/HomePage.vue'),
        children: [
          { path: 'account', name: 'account', component: () => import('./pages/AccountPage.vue') },
          {
            path: '',
            component: () => import('./pages/ChatsPage.vue'),
            redirect: { name: 'chats' },
            children: [
              { path: 'chats', name: 'chats', component: NothingPicked },
              { path: 'people', name: 'people', component: NothingPicked },
              {
                path: 'chats/:conv',
                name: 'conversation',
                component: () => import('./pages/ConversationPage.vue'),
              },
              { path: 'join/:group', name: 'join', component: () => import('./pages/JoinPage.vue') },
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
