/**
 * Before all tests: an engine that answers, our image built as the Dockerfile says, and those images that a machine
 * without a registry may be unable to get. What can't be tested for want of one is said at the end, where it is read.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestProject } from 'vitest/node'
import { canHave, docker, needEngine, ROOT } from './docker.ts'

/** Built once; every cluster of the tests runs it. */
export const IMAGE = 'starling/gateway:test'

const OWN_EXPORTER = 'starling/redis-exporter:test'

declare module 'vitest' {
  interface ProvidedContext {
    /** The image of redis_exporter to run; undefined where there is none. */
    redisExporter: string | undefined
    /** Whether Grafana's image is here. */
    grafana: boolean
  }
}

export default async function prepare(project: TestProject): Promise<() => void> {
  needEngine()
  if (!(await build('.', IMAGE))) throw new Error('the image could not be built')
  const missing: string[] = []
  const [grafana, exporter] = [await imageOf('grafana'), await imageOf('redis-exporter')]
  const hasGrafana = await canHave(grafana)
  project.provide('grafana', hasGrafana)
  if (!hasGrafana) missing.push(`${grafana}: that Grafana starts and takes its files`)

  let redisExporter: string | undefined = exporter
  if (!(await canHave(exporter))) {
    redisExporter = (await build('test/compose/support/redis-exporter', OWN_EXPORTER))
      ? OWN_EXPORTER
      : undefined
    if (redisExporter === undefined) missing.push(`${exporter}: what Redis' dashboard and alerts stand on`)
    else console.log(`in place of ${exporter} runs the same program from Debian's package`)
  }
  project.provide('redisExporter', redisExporter)

  return () => {
    if (missing.length === 0) return
    const rule = '!'.repeat(100)
    console.warn(
      `\n${rule}\nNOT TESTED, since these images can't be had here:\n  ${missing.join('\n  ')}\n${rule}`,
    )
  }
}

/** @returns whether it went well */
async function build(folder: string, tag: string): Promise<boolean> {
  const run = spawn('docker', ['build', '--quiet', '--tag', tag, folder], { cwd: ROOT, stdio: 'inherit' })
  const [code] = (await once(run, 'exit')) as [number | null]
  return code === 0
}

/** The image that compose.yaml names for a service. */
async function imageOf(service: string): Promise<string> {
  const config = await docker(['compose', '--profile', '*', 'config', '--format', 'json'])
  const { services } = JSON.parse(config) as { services: Record<string, { image: string }> }
  return services[service]!.image
}
