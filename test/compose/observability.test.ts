/**
 * The profile observability: Prometheus sees every gateway and every Redis, what dashboards and alerts ask for is really
 * there, and the rules do what their tests say. Grafana itself, where its image can be had.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { dashboards } from '../unit/metrics/deployed.ts'
import { FOREIGN } from '../unit/metrics/known-metrics.ts'
import { docker, ROOT } from './support/docker.ts'
import { SENTINEL_URL, Stack } from './support/stack.ts'
import { until } from './support/until.ts'

const exporter = inject('redisExporter')
const grafana = inject('grafana')

/** A new target is found after 10 s, scraped after another 10, and a rate needs two scrapes. */
const SEEN_MS = 60_000

let stack: Stack
beforeAll(async () => {
  const services = ['haproxy', 'prometheus']
  if (exporter) services.push('redis-exporter')
  if (grafana) services.push('grafana')
  stack = await Stack.up({
    // With replicas, so that there is something to say of them.
    profiles: ['observability', 'sentinel'],
    redisUrl: SENTINEL_URL,
    services,
    env: { ...(exporter && { REDIS_EXPORTER_IMAGE: exporter }), REDIS_MAXMEMORY: '256mb' },
  })
})
afterAll(() => stack?.down())

async function prometheus<T>(path: string): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${stack.port('PROMETHEUS_PORT')}/api/v1/${path}`)
  const { data, error } = (await answer.json()) as { data: T; error?: string }
  if (error !== undefined) throw new Error(error)
  return data
}

interface Sample {
  metric: Record<string, string>
  value: [number, string]
}

/** @returns what an expression gives now */
async function ask(expression: string): Promise<Sample[]> {
  const query = encodeURIComponent(expression)
  return (await prometheus<{ result: Sample[] }>(`query?query=${query}`)).result
}

interface Target {
  labels: { job: string }
  health: string
}

const scraped = async (job: string) => {
  const { activeTargets } = await prometheus<{ activeTargets: Target[] }>('targets?state=active')
  return activeTargets.filter(({ labels, health }) => labels.job === job && health === 'up').length
}

/** Every query of a dashboard as Grafana sends it, with all instances chosen. */
const queries = dashboards.flatMap(({ title, panels }) =>
  panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ expr }) => ({
      where: `${title} / ${panel.title}`,
      query: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
    })),
  ),
)

describe('Prometheus', () => {
  it('scrapes every gateway, new ones too', async () => {
    await until('three gateways', SEEN_MS, async () => (await scraped('starling')) === 3)
    await stack.scale(4)
    await until('four gateways', SEEN_MS, async () => (await scraped('starling')) === 4)
  })

  it('has loaded every file of rules', async () => {
    const { groups } = await prometheus<{ groups: { file: string }[] }>('rules')
    const loaded = new Set(groups.map(({ file }) => file.split('/').at(-1)))
    expect([...loaded].sort()).toEqual(readdirSync(join(ROOT, 'deploy/prometheus/rules')).sort())
  })

  it('finds its files sound, and the rules firing and silent as their tests say', async () => {
    // It works in a temporary folder, and the volume is all that can be written to.
    const options = ['-T', '--env', 'TMPDIR=/prometheus', '--workdir', '/etc/prometheus']
    const promtool = (...args: string[]) =>
      stack.compose('exec', ...options, 'prometheus', 'promtool', ...args)
    expect(await promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS')
    expect(await promtool('test', 'rules', 'tests/rules.yml')).toContain('SUCCESS')
  })
})

describe('the dashboards', () => {
  it('have something to show in every panel', async () => {
    const [someone, other] = [...(await stack.peopleEverywhere()).values()].map(([one]) => one!)
    await other!.hears(await someone!.send(other!.target, 'hello'))
    await expect(someone!.send('channel:announcements', 'not mine to say')).rejects.toThrow()
    await other!.leave()
    const asked = queries.filter(({ query }) => exporter !== undefined || !query.includes('redis_'))
    let empty: unknown[] = []
    await until('an answer to every query', SEEN_MS, async () => {
      const answers = await Promise.all(asked.map(({ query }) => ask(query)))
      empty = asked.filter((_, index) => answers[index]!.length === 0)
      return empty.length === 0
    }).catch(() => expect(empty).toEqual([]))
  })
})

// Where it is missing, the run says so at its end.
if (exporter !== undefined)
  describe('redis_exporter', () => {
    it('says of every Redis what dashboards and alerts take for granted, with these labels', async () => {
      await until('all servers', SEEN_MS, async () => (await ask('redis_up == 1')).length === 3)
      const wanted = [...FOREIGN].filter(([name]) => name.startsWith('redis_'))
      const found = await Promise.all(
        wanted.map(async ([name, labels]) => {
          const samples = await ask(name)
          return [
            name,
            [...labels].filter((label) => samples.some(({ metric }) => label in metric)),
            samples.length > 0,
          ]
        }),
      )
      expect(found).toEqual(wanted.map(([name, labels]) => [name, [...labels], true]))
    })
  })

if (grafana)
  describe('Grafana', () => {
    it('has its dashboards from files', async () => {
      const found = await until('Grafana', SEEN_MS, async () => {
        const answer = await fetch(`http://127.0.0.1:${stack.port('GRAFANA_PORT')}/api/search?type=dash-db`)
        return answer.ok && ((await answer.json()) as unknown[])
      })
      expect(found).toHaveLength(dashboards.length)
      expect(await docker(['logs', (await stack.containers('grafana'))[0]!])).not.toContain('level=error')
    })
  })
