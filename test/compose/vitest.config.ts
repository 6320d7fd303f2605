/**
 * `npm run test:compose`: the cluster in containers, as users run it. Apart from the ordinary tests, since it needs a
 * container engine and some minutes.
 */
import { defineConfig } from 'vitest/config'

/** The SDK from its sources; the rest is vite's default for Node.js. */
const conditions = ['starling-source', 'module', 'node', 'development|production']

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'compose',
    include: ['test/compose/**/*.test.ts'],
    globalSetup: 'test/compose/support/images.ts',
    reporters: ['verbose'],
    pool: 'forks',
    // Clusters wait more than they compute, but each is a dozen processes and more.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
})
