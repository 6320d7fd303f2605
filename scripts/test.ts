/**
 * `npm test`: gets what the tests need of the system (a redis-server, Chromium), then runs them. Arguments are vitest's:
 * `npm test -- --project unit`, `npm test -- test/protocol/dm.test.ts`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { getChromium } from './lib/chromium.ts'
import { installRedisServer } from './lib/redis.ts'
import { giveUp } from './lib/user-error.ts'
import { buildWeb } from './lib/web.ts'

const root = join(import.meta.dirname, '..')

try {
  // Even with Docker: the tests of Redis Cluster and of its failures run processes of their own.
  installRedisServer()
  const CHROMIUM = getChromium()
  buildWeb(root)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const run = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHROMIUM },
  })
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => run.kill(signal))
  // A terminal's Ctrl-C reaches vitest by itself, which then has to end well.
  process.on('SIGINT', () => {})
  const [code] = (await once(run, 'exit')) as [number | null]
  process.exitCode = code ?? 1
} catch (fault) {
  giveUp(fault)
}
