/** The dashboards, and how Grafana gets them. */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { dashboards, read, series } from './deployed.ts'
import { TARGET_LABELS } from './known-metrics.ts'

// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana's
const CHOSEN = { type: 'prometheus', uid: '${datasource}' }

describe('dashboards', () => {
  it('are those of the cluster, of a gateway and of Redis', () => {
    expect(dashboards.map(({ uid }) => uid).toSorted()).toEqual([
      'starling-cluster',
      'starling-gateway',
      'starling-redis',
    ])
  })

  it.each(dashboards)('$title has panels that are told apart, explained and side by side', ({ panels }) => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = new Set<string>()
    for (const { title, type, description, gridPos } of panels) {
      if (type !== 'row') expect(description, title).toMatch(/\.$/)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        expect(x, title).toBeLessThan(24)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x} ${y}`), title).toBe(false)
          cells.add(`${x} ${y}`)
        }
      }
    }
  })

  it.each(dashboards)('$title uses variables that it has', ({ panels, templating }) => {
    const has = new Set(['__rate_interval', ...templating.list.map(({ name }) => name)])
    const used = [...JSON.stringify({ panels, templating }).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!)
    expect(used.filter((name) => name !== '__all' && !has.has(name))).toEqual([])
    for (const { definition } of templating.list) {
      if (definition === undefined) continue
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? []
      expect(series.has(metric), definition).toBe(true)
      expect(TARGET_LABELS.has(label), definition).toBe(true)
    }
  })
})

describe('Grafana', () => {
  const compose = parse(read('compose.yaml')) as { services: Record<string, { volumes: string[] }> }
  const mounts = compose.services['grafana']!.volumes.map((volume) => volume.split(':'))
  const provisioning = (what: string) =>
    parse(read(`deploy/grafana/provisioning/${what}`)) as Record<string, Record<string, unknown>[]>

  it('is given the dashboards from where they lie', () => {
    expect(mounts).toContainEqual(['./deploy/grafana/provisioning', '/etc/grafana/provisioning', 'ro'])
    const { providers } = provisioning('dashboards/starling.yml')
    expect(providers).toMatchObject([{ type: 'file', options: { path: '/etc/grafana/dashboards' } }])
    expect(mounts).toContainEqual(['./deploy/grafana/dashboards', '/etc/grafana/dashboards', 'ro'])
  })

  it('has one source, the Prometheus beside it, and every query asks the source that is chosen', () => {
    const { datasources } = provisioning('datasources/prometheus.yml')
    expect(datasources).toMatchObject([
      { uid: 'prometheus', type: 'prometheus', url: 'http://prometheus:9090', isDefault: true },
    ])
    expect(Object.keys(compose.services)).toContain('prometheus')
    for (const { title, panels, templating } of dashboards) {
      const [source] = templating.list
      expect(source, title).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
      const asking = [
        ...panels.filter(({ type }) => type !== 'row'),
        ...panels.flatMap(({ targets = [] }) => targets),
      ]
      for (const one of asking) {
        expect(one, title).toHaveProperty('datasource', CHOSEN)
      }
    }
  })

  it.each(dashboards)('$title tells the queries of a panel apart', ({ panels }) => {
    for (const { title, type, targets = [] } of panels) {
      expect(['row', 'stat', 'timeseries'], title).toContain(type)
      expect(targets.length > 0, title).toBe(type !== 'row')
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length)
    }
  })
})
