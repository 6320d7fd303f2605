/** The built web page, in web/dist: made when it is missing or older than what it is made of. Gateways serve it. */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from './user-error.ts'

const SOURCES = [
  'web/*.{html,ts,json}',
  'web/{src,public}/**',
  'client/src/**',
  'protocol/src/**',
  'package-lock.json',
]

/** @throws UserError with the bundler's words, where it fails */
export function buildWeb(root: string): void {
  const page = join(root, 'web/dist/index.html')
  if (existsSync(page) && newest(root) <= statSync(page).mtimeMs) return
  console.log('Building the web page …')
  const bundler = join(root, 'node_modules/vite/bin/vite.js')
  const built = spawnSync(process.execPath, [bundler, 'build'], { cwd: join(root, 'web'), encoding: 'utf8' })
  if (built.status !== 0)
    throw new UserError(`The web page could not be built:\n${built.stdout}${built.stderr}`)
}

function newest(root: string): number {
  const files = globSync(SOURCES, { cwd: root })
  return Math.max(...files.map((file) => statSync(join(root, file)).mtimeMs))
}
