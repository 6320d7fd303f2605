/** Composition root of the page. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n } from './locales/index.ts'
import { createAppRouter } from './router.ts'
import './styles/tokens.css'
import './styles/base.css'

const pinia = createPinia()
const router = createAppRouter(pinia)
createApp(App).use(pinia).use(i18n).use(router).mount('#app')
