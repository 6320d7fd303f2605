/** Builds the page into `dist`, from the SDK's and the protocol's sources; in development gateways are proxied. */
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const gateway = 'http://127.0.0.1:8080'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [vue()],
  resolve: { conditions: ['starling-source', 'module', 'browser', 'development|production'] },
  define: { __VUE_OPTIONS_API__: false, __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: false },
  server: {
    proxy: {
      '/api': { target: gateway },
      '/ws': { target: gateway, ws: true },
    },
  },
  build: {
    // light-dark() and :has() as they are written: what the palette rests on.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    rolldownOptions: {
      output: {
        // What changes with our own code stays apart from what browsers can keep over releases.
        codeSplitting: {
          groups: [
            { name: 'vue', test: /node_modules\/(@vue|vue|vue-router|vue-i18n|@intlify|pinia|@vueuse)\// },
            { name: 'vendor', test: /node_modules\// },
          ],
        },
      },
    },
  },
})
