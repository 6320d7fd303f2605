/** What the process itself does with wrong settings: one message on stderr, nothing on stdout, exit code 2. */
import { expect, it } from 'vitest'
import { GatewayProcess } from '../../support/harness-gateway.ts'

// A process with all its modules: on a busy machine that takes a while.
it('ends with 2 before it has said or touched anything', { timeout: 30_000 }, async () => {
  const run = new GatewayProcess({ PORT: 'eighty', AUTH: 'both', REDIS_URL: 'redis://127.0.0.1:1' })
  expect(await run.exit).toEqual({ code: 2, signal: null })
  expect(run.stdout).toBe('')
  expect(run.stderr.trim().split('\n')).toEqual([
    'cannot start:',
    expect.stringContaining('PORT must be'),
    expect.stringContaining('AUTH must be'),
    expect.stringContaining('JWT_SECRET or JWKS_URL is required'),
  ])
})
