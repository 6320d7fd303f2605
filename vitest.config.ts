/** One project per folder of test/, named after what its tests need, from cheap to dear. */
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { defineConfig } from 'vitest/config'

/** How long one test may take, ms. */
const PROJECTS = {
  unit: 5_000,
  contract: 20_000,
  store: 20_000,
  cluster: 30_000,
  protocol: 30_000,
  scenario: 90_000,
  fuzz: 120_000,
  web: 90_000,
}

/** The SDK from its sources; the rest is vite's default for Node.js. */
const conditions = ['starling-source', 'module', 'node', 'development|production']

export default defineConfig({
  test: {
    globalSetup: 'test/support/redis.ts',
    reporters: ['default', './scripts/lib/count-reporter.ts'],
    pool: 'forks',
    // Tests wait more than they compute.
    maxWorkers: cpus().length + 1,
    projects: [
      ...Object.entries(PROJECTS).map(([name, testTimeout]) => ({
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          testTimeout,
          hookTimeout: 60_000,
          // What needs nothing comes first: a slip shows in seconds. The rest shares the workers.
          sequence: { groupOrder: name === 'unit' ? 0 : 1 },
        },
      })),
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          // What two gateways promise on one Redis they promise on a cluster of them.
          name: 'protocol-cluster',
          include: ['dm', 'group', 'presence', 'sync'].map((name) => `test/protocol/${name}.test.ts`),
          globalSetup: 'test/support/whole-cluster.ts',
          testTimeout: PROJECTS.protocol,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: existsSync('test/types'),
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
    ],
  },
})
