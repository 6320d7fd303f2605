/**
 * `npm run check`: everything that can be said of the code without running it. All checks run side by side; each says
 * that it is well and how long it took, or everything it has found.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

const CHECKS: Record<string, string> = {
  'format and lint': 'biome ci',
  'promises and switches': 'oxlint --type-aware --deny-warnings',
  types: 'tsc -p tsconfig.json',
  'types (client)': 'tsc -p client/tsconfig.json',
  'types (web)': 'npm run --silent typecheck -w web',
  'who knows whom': 'depcruise src protocol client/src web/src scripts test --output-type err',
  'unused code': 'knip',
}

/** @returns whether it found nothing */
async function check([name, line]: [string, string]): Promise<boolean> {
  const since = Date.now()
  const [command = '', ...args] = line.split(' ')
  const shell = process.platform === 'win32'
  const run = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell })
  let output = ''
  for (const stream of [run.stdout, run.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const code = await new Promise<number | null>((resolve, reject) =>
    run.on('close', resolve).on('error', reject),
  )
  const took = `${((Date.now() - since) / 1000).toFixed(1)} s`
  console.log(code === 0 ? `✓ ${name} (${took})` : `✗ ${name} (${took}): ${line}\n${output}`)
  return code === 0
}

const results = await Promise.all(Object.entries(CHECKS).map(check))
process.exitCode = results.every(Boolean) ? 0 : 1
