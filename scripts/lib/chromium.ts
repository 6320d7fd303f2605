/** The browser that the web tests drive: CHROMIUM, else one that is installed, else the system's package. */
import { spawnSync } from 'node:child_process'
import { installPackages } from './packages.ts'
import { UserError } from './user-error.ts'

const CANDIDATES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The path of a browser that runs. @throws UserError with what to do, where there is none to be had */
export function getChromium(): string {
  const given = process.env['CHROMIUM']
  if (given) return given
  const found = findChromium()
  if (found) return found
  installPackages('chromium', 'No Chromium here, which the web tests drive.')
  return findChromium() ?? missing()
}

function findChromium(): string | undefined {
  const command = CANDIDATES.find((candidate) => spawnSync(candidate, ['--version']).status === 0)
  if (!command || command.startsWith('/')) return command
  return spawnSync('which', [command], { encoding: 'utf8' }).stdout.trim()
}

function missing(): never {
  throw new UserError('No Chromium here that runs: install one, or name its path in CHROMIUM.')
}
