/**
 * Where and with what a run was made.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { redisVersion } from '../lib/redis.ts'
import { ROOT } from '../lib/server-process.ts'

const GIB = 1024 ** 3

/** @returns what to know of machine, commit and versions, a line each */
export function surroundings(): string[] {
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ')
  const memory = Math.round(totalmem() / GIB)
  return [
    `${date} UTC, commit ${commit()}`,
    `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${memory} GiB, Linux ${release()}`,
    `Node ${process.versions.node}, Redis ${redisVersion()} (AOF, fsync every second), uWebSockets.js ${versionOf('uWebSockets.js')}, Socket.IO ${versionOf('socket.io')} with its Redis adapter ${versionOf('@socket.io/redis-adapter')}, ws ${versionOf('ws')}, node-redis ${versionOf('@redis/client')} (the peers')`,
  ]
}

/** @returns the commit that is measured, with a plus where the product's code is not as it says */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changes = git('status', '--porcelain', 'src', 'protocol')
    return git('rev-parse', '--short', 'HEAD') + (changes === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

function versionOf(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
