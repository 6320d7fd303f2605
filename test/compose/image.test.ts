/** What is in the image, and what it does with wrong settings. */
import { expect, it } from 'vitest'
import { docker } from './support/docker.ts'
import { IMAGE } from './support/images.ts'

const MAX_BYTES = 300 * 1_000_000

const run = (...args: string[]) => docker(['run', '--rm', '--read-only', '--network', 'none', ...args])

/** What the gateway says on stderr before it ends with 2. */
async function refusal(env: Record<string, string>): Promise<string> {
  const options = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const fault = await run(...options, IMAGE).then(
    () => undefined,
    (error: { code: number; stderr: string }) => error,
  )
  expect(fault?.code).toBe(2)
  return fault?.stderr ?? ''
}

it('is small, runs as nobody special, and has a health check', async () => {
  const [image] = JSON.parse(await docker(['image', 'inspect', IMAGE])) as {
    Size: number
    Config: { User: string; Healthcheck?: { Test: string[] }; Cmd: string[] }
  }[]
  console.log(`the image has ${Math.round(image!.Size / 1_000_000)} MB`)
  expect(image!.Size).toBeLessThanOrEqual(MAX_BYTES)
  expect(image!.Config).toMatchObject({ User: 'node', Cmd: ['node', 'src/main.ts'] })
  expect(image!.Config.Healthcheck?.Test[1]).toBe('node')
})

it('carries one binary of uWebSockets.js, the page, and no tools', async () => {
  const files = await run(IMAGE, 'sh', '-c', 'ls node_modules/uWebSockets.js/dist/bin node_modules web/dist')
  expect(files.match(/\.node$/gm)).toHaveLength(1)
  expect(files).toContain('index.html')
  expect(files).not.toMatch(/^(vitest|typescript|vue|node)$/m)
})

it('names what is wrong with its settings, and the secrets of the examples', async () => {
  expect(await refusal({})).toContain('JWT_SECRET or JWKS_URL')
  const example = 'example-secret-that-everybody-can-read-here'
  expect(await refusal({ JWT_SECRET: example, PUBLISHED_ON: '0.0.0.0' })).toContain(
    'JWT_SECRET is the one of',
  )
})
