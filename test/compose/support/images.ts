/** Before all tests: an engine that answers, and the image built as the Dockerfile says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { needEngine, ROOT } from './docker.ts'

/** Built once; every cluster of the tests runs it. */
export const IMAGE = 'starling/gateway:test'

export default async function build(): Promise<void> {
  needEngine()
  const run = spawn('docker', ['build', '--quiet', '--tag', IMAGE, '.'], { cwd: ROOT, stdio: 'inherit' })
  const [code] = (await once(run, 'exit')) as [number | null]
  if (code !== 0) throw new Error('the image could not be built')
}
