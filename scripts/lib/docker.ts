/** Docker, where there is one: whether an engine answers (a client alone is no engine), and a Redis in a container. */
import { spawnSync } from 'node:child_process'
import type { Launch } from './redis-server.ts'

export const REDIS_IMAGE = process.env['REDIS_IMAGE'] ?? 'redis:7.4'

/** An engine that is there answers at once; one that hangs counts as none, ms. */
const ANSWER_MS = 5_000

export function dockerAnswers(): boolean {
  const asked = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: ANSWER_MS })
  return asked.status === 0
}

/**
 * Runs Redis in a container that is gone when it ends. The files of `dir` are its data and stay ours: the server runs as
 * this user. The client passes signals on, so that it can be treated as the server itself.
 */
export function dockerRedis(dir: string): Launch {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const container = ['--rm', '--user', `${uid}:${gid}`, '--volume', `${dir}:/data`]
  return (settings, port) => {
    const published = ['--publish', `127.0.0.1:${port}:6379`]
    return ['docker', 'run', ...container, ...published, REDIS_IMAGE, 'redis-server', ...settings]
  }
}
