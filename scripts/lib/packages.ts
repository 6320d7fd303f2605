/**
 * Installs packages of the system, where we may without asking: as root, or with a sudo that wants no password.
 * Where we may not, the line to type is what we have to offer.
 */
import { spawnSync } from 'node:child_process'
import { UserError } from './user-error.ts'

export type Need = 'redis' | 'chromium'

interface Manager {
  command: string
  /** What has to come before an install, such as fetching the lists. */
  first?: string[]
  install: string[]
  packages: Record<Need, string[]>
  /** Homebrew installs as the user, and refuses root. */
  asUser?: true
}

const MANAGERS: Manager[] = [
  {
    command: 'apt-get',
    first: ['update', '-q'],
    install: ['install', '-q', '-y', '--no-install-recommends'],
    packages: { redis: ['redis-server'], chromium: ['chromium', 'fonts-wqy-zenhei'] },
  },
  {
    command: 'dnf',
    install: ['install', '-y'],
    packages: { redis: ['/usr/bin/redis-server'], chromium: ['chromium', 'wqy-zenhei-fonts'] },
  },
  {
    command: 'apk',
    install: ['add', '--no-cache'],
    packages: { redis: ['redis'], chromium: ['chromium', 'font-wqy-zenhei'] },
  },
  {
    command: 'brew',
    install: ['install'],
    packages: { redis: ['redis'], chromium: ['--cask', 'chromium'] },
    asUser: true,
  },
]

const works = (command: string, ...args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0

/**
 * Installs what `need` stands for and says so.
 * @throws UserError with the line to type, where we may not or where it fails
 */
export function installPackages(need: Need, why: string): void {
  const manager = MANAGERS.find(({ command }) => works(command, '--version'))
  if (!manager)
    throw new UserError(`${why} Install ${need} with this system's package manager, then start again.`)
  const { command, first, install, packages, asUser } = manager
  const isRoot = process.getuid?.() === 0
  const sudo = isRoot || asUser ? [] : ['sudo']
  const lines = [...(first ? [first] : []), [...install, ...packages[need]]].map((args) => [
    ...sudo,
    command,
    ...args,
  ])
  const typed = lines.map((line) => line.join(' ')).join(' && ')
  if (sudo.length > 0 && !works('sudo', '-n', 'true'))
    throw new UserError(`${why} Type this, then start again:\n  ${typed}`)

  console.log(`${why} Installing: ${typed}`)
  for (const [program = '', ...args] of lines) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const { status } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (status !== 0) throw new UserError(`${why} This failed; see what it says:\n  ${typed}`)
  }
}
