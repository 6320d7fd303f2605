/**
 * The door of every npm script: installs what is missing or stale, then hands over to the Node.js that this project
 * runs on. Plain JavaScript without a dependency: on a fresh clone it is run by whatever Node.js is there (≥ 20.19).
 *
 *   node scripts/run.mjs <script> [arguments]
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const modules = join(root, 'node_modules')

/** Whether node_modules is what package-lock.json asks for; packages for other platforms may be absent. */
function isInstalled() {
  const installedLock = join(modules, '.package-lock.json')
  if (!existsSync(installedLock)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedLock, 'utf8')).packages
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
      const found = installed[path]
      if (path === '') return true
      return found ? found.version === version && found.integrity === integrity : optional || devOptional
    })
  )
}

/** Runs npm. Its warnings are about the Node.js at the door, which is not the one that will run the project. */
function npm(...args) {
  return spawnSync('npm', [...args, '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}

function install() {
  console.log('Installing the dependencies (npm ci) …')
  const { status, error } = npm('ci')
  if (status !== 0) fail(`npm ci failed${error ? `: ${error.message}` : ''}.`)
}

const ownNode = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const isNode22 = (path) => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.startsWith('v22.')

/** The Node.js 22 among the dependencies, or the one at the door where that has none for this platform. */
function findNode() {
  // Where npm is told to run no install script, the package that brings Node.js is still without it.
  if (!existsSync(ownNode)) npm('rebuild', 'node', '--ignore-scripts=false')
  return (
    [ownNode, process.execPath].find(isNode22) ??
    fail(`Starling runs on Node.js 22; none for ${process.platform} ${process.arch} was found. Install it.`)
  )
}

/** @returns {never} */
function fail(message) {
  console.error(message)
  process.exit(1)
}

if (!isInstalled()) install()
const node = findNode()
const path = [join(node, '..'), join(modules, '.bin'), process.env.PATH].join(delimiter)
// The channel lets a script see that this process is gone, however it ended.
const script = spawn(node, process.argv.slice(2), {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { ...process.env, PATH: path },
})
script.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal's Ctrl-C reaches the script by itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) script.kill(signal)
  })
}

if (process.env.npm_lifecycle_event) {
  // npm runs us in a shell that dies of a signal without passing it on: a shell that is gone says the same.
  const shell = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    script.kill('SIGTERM')
  }, 250).unref()
}
