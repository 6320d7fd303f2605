/** The docker command: run, awaited, its words in the error where it fails. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const ROOT = join(import.meta.dirname, '../../..')

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** @returns what it wrote to stdout @throws Error with what it wrote to stderr */
export async function docker(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    maxBuffer: MAX_OUTPUT_BYTES,
  })
  return stdout
}

/** @throws Error that says in words why nothing here can run containers */
export function needEngine(): void {
  const ask = (...args: string[]) => spawnSync('docker', args, { encoding: 'utf8', timeout: 20_000 })
  const engine = ask('version', '--format', '{{.Server.Version}}')
  if (engine.status !== 0) {
    const why = engine.error?.message ?? engine.stderr.trim()
    throw new Error(
      `NO CONTAINER ENGINE ANSWERS, so nothing of the compose cluster was tested. Start one that the docker command reaches.\n${why}`,
    )
  }
  const compose = ask('compose', 'version', '--short')
  if (compose.status !== 0) {
    throw new Error(
      `THE ENGINE HAS NO \`docker compose\`, so nothing of the compose cluster was tested.\n${compose.stderr}`,
    )
  }
  console.log(`engine ${engine.stdout.trim()}, compose ${compose.stdout.trim()}`)
}

/** Whether an image is here or can be had: on a machine without a registry some can't. */
export async function canHave(image: string): Promise<boolean> {
  try {
    await docker(['image', 'inspect', image])
    return true
  } catch {
    return docker(['pull', '--quiet', image]).then(
      () => true,
      () => false,
    )
  }
}
