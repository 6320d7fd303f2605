/**
 * `npm run check`: everything that can be said of the code without running it. Runs the `check:…` scripts of
 * package.json side by side; each says that it is well and how long it took, or everything it has found.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** @returns whether it found nothing */
async function check([name, line]: [string, string]): Promise<boolean> {
  const since = Date.now()
  const run = spawn(line, {
    cwd: root,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  for (const stream of [run.stdout, run.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const code = await new Promise<number | null>((resolve) => run.on('close', resolve))
  const took = `${((Date.now() - since) / 1000).toFixed(1)} s`
  console.log(code === 0 ? `✓ ${name} (${took})` : `✗ ${name} (${took}): ${line}\n${output}`)
  return code === 0
}

const checks = Object.entries(scripts).filter(([name]) => name.startsWith('check:'))
const results = await Promise.all(checks.map(check))
process.exitCode = results.every(Boolean) ? 0 : 1
