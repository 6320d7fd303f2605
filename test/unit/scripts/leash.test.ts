import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'

const parent = `
  import { spawn } from 'node:child_process'
  import { leash } from '${import.meta.dirname}/../../../scripts/lib/leash.ts'
  const child = leash(spawn(process.execPath, ['-e', 'console.log(process.pid); setInterval(() => {}, 1e6)'], {
    stdio: ['ignore', 'inherit', 'ignore'], detached: true,
  }))
`

it('ends a child whose parent was killed without a word', async () => {
  const killed = spawn(process.execPath, ['--input-type=module', '-e', parent], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // The pipe is the child's too: it closes when both are gone.
  const closed = once(killed.stdout, 'close').then(() => 'both gone')
  await once(createInterface({ input: killed.stdout }), 'line')
  killed.kill('SIGKILL')
  expect(await closed).toBe('both gone')
})
