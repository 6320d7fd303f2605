/** The profile observability: Prometheus sees every gateway and knows the rules; Grafana, where its image can be had. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { canHave, docker, ROOT } from './support/docker.ts'
import { Stack } from './support/stack.ts'
import { until } from './support/until.ts'

const images = readFileSync(join(ROOT, 'compose.yaml'), 'utf8').matchAll(
  /image: \$\{\w+:-((?:grafana|oliver006)\/[^}]+)\}/g,
)
const missing: string[] = []

let stack: Stack
beforeAll(async () => {
  for (const [, image] of images) if (!(await canHave(image!))) missing.push(image!)
  const services = ['haproxy', 'prometheus']
  if (missing.length === 0) services.push('redis-exporter', 'grafana')
  else console.warn(`NOT TESTED, since the images can't be had here: ${missing.join(', ')}`)
  stack = await Stack.up({ profile: 'observability', services })
})
afterAll(() => stack?.down())

async function prometheus<T>(path: string): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${stack.port('PROMETHEUS_PORT')}/api/v1/${path}`)
  return ((await answer.json()) as { data: T }).data
}

interface Target {
  labels: { job: string }
  health: string
}

const scraped = () =>
  until('as many healthy targets as gateways', 60_000, async () => {
    const { activeTargets } = await prometheus<{ activeTargets: Target[] }>('targets?state=active')
    const up = activeTargets.filter(({ labels, health }) => labels.job === 'starling' && health === 'up')
    return up.length === (await stack.gateways()).length && up.length
  })

it('scrapes every gateway, new ones too', async () => {
  expect(await scraped()).toBe(3)
  await stack.scale(4)
  expect(await scraped()).toBe(4)
})

it('has loaded every file of rules', async () => {
  const { groups } = await prometheus<{ groups: { file: string }[] }>('rules')
  const loaded = new Set(groups.map(({ file }) => file.split('/').at(-1)))
  expect([...loaded].sort()).toEqual(readdirSync(join(ROOT, 'deploy/prometheus/rules')).sort())
})

it('knows the sessions of people', async () => {
  await stack.peopleEverywhere()
  await until('sessions', 30_000, async () => {
    const { result } = await prometheus<{ result: { value: [number, string] }[] }>(
      'query?query=sum(starling_connections)',
    )
    return Number(result[0]?.value[1]) >= 4
  })
})

it('draws the dashboards', async ({ skip }) => {
  if (missing.length > 0) return skip('no image of Grafana')
  const found = await until('Grafana', 60_000, async () => {
    const answer = await fetch(`http://127.0.0.1:${stack.port('GRAFANA_PORT')}/api/search?type=dash-db`)
    return answer.ok && ((await answer.json()) as unknown[])
  })
  expect(found).toHaveLength(readdirSync(join(ROOT, 'deploy/grafana/dashboards')).length)
  expect(await docker(['logs', (await stack.containers('grafana'))[0]!])).not.toContain('level=error')
})
