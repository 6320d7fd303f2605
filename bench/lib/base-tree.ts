/**
 * The tree as it was before the change: a work tree of git in a folder of its own, with the packages of this one.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ownFolder } from './owned.ts'
import { ROOT } from './server-process.ts'

/** Where the change may have started from, the first that exists. */
const TRUNKS = ['origin/HEAD', 'origin/main', 'main', 'master']
/** The workspaces are the tree's own; all other packages are shared. */
const OWN_SCOPE = '@starling'
const WORKSPACES = ['protocol', 'client']

export interface BaseTree {
  root: string
  commit: string
  remove(): void
}

/** @returns the commit that the working tree is compared with: where it left the trunk, or the last one on the trunk */
export function baseCommit(): string {
  const head = git('rev-parse', 'HEAD')
  const trunk = TRUNKS.find((name) => git('rev-parse', '--verify', '--quiet', name) !== '')
  const base = trunk === undefined ? head : git('merge-base', 'HEAD', trunk)
  const isChanged = git('status', '--porcelain', 'src', 'protocol') !== ''
  if (base !== head || isChanged) return base
  const last = git('rev-parse', '--verify', '--quiet', 'HEAD~1')
  if (last === '') throw new Error('there is no earlier commit here to compare with; name one with --base')
  return last
}

/** Checks a revision out. @throws Error where git can't */
export function checkOut(revision: string): BaseTree {
  const commit = git('rev-parse', '--short', revision)
  const root = join(ownFolder('base'), 'tree')
  git('worktree', 'add', '--detach', root, commit)
  const [from, to] = [join(ROOT, 'node_modules'), join(root, 'node_modules')]
  mkdirSync(join(to, OWN_SCOPE), { recursive: true })
  for (const name of readdirSync(from)) if (name !== OWN_SCOPE) symlinkSync(join(from, name), join(to, name))
  for (const name of WORKSPACES) symlinkSync(join(root, name), join(to, OWN_SCOPE, name))
  return {
    root,
    commit,
    remove: () => void git('worktree', 'remove', '--force', root),
  }
}

/** @returns its output; nothing where it fails at being asked quietly */
function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  } catch (fault) {
    if (args.includes('--quiet')) return ''
    throw fault
  }
}
