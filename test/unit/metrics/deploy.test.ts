/** Dashboards, alert rules and their documentation stand on metrics that exist. */
import { readdirSync, readFileSync } from 'node:fs'
import { CLOSE_CODES } from '@starling/protocol/close'
import { ERROR_CODES } from '@starling/protocol/errors'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { FOREIGN, gatewayMetrics, seriesOf, TARGET_LABELS } from './known-metrics.ts'
import { readPromql } from './promql.ts'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const files = (folder: string) => readdirSync(new URL(folder, root)).map((name) => `${folder}${name}`)

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; runbook: string }
}

interface Panel {
  id: number
  type: string
  title: string
  description?: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; legendFormat: string }[]
}

interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
  templating: { list: { name: string; definition?: string }[] }
}

const rules = files('deploy/prometheus/rules/').flatMap((file) =>
  (parse(read(file)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
)
const dashboards = files('deploy/grafana/dashboards/').map((file) => JSON.parse(read(file)) as Dashboard)
const own = gatewayMetrics()
const series = new Map([...seriesOf(own), ...FOREIGN])
const handbook = read('docs/observability.md')

const asked: [where: string, expression: string, legend: string][] = [
  ...rules.map(({ alert, expr }): [string, string, string] => [alert, expr, '']),
  ...dashboards.flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr, legendFormat }): [string, string, string] => [
        `${title} / ${panel.title}`,
        expr,
        legendFormat,
      ]),
    ),
  ),
]

describe('expressions', () => {
  it.each(asked)('of “%s” ask for series and labels that exist: %s', (_where, expression, legend) => {
    const { metrics, matched, grouped } = readPromql(expression)
    expect([...metrics].filter((metric) => !series.has(metric))).toEqual([])
    const has = (metric: string, label: string) =>
      TARGET_LABELS.has(label) || series.get(metric)?.has(label) === true
    expect(matched.filter(({ metric, label }) => !has(metric, label))).toEqual([])
    const legends = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)
    for (const label of [...grouped, ...legends]) {
      expect(
        [...metrics].some((metric) => has(metric, label)),
        `label ${label}`,
      ).toBe(true)
    }
  })

  it('compare codes and results with such as there are', () => {
    const known = new Set([
      ...Object.keys(CLOSE_CODES),
      ...Object.keys(ERROR_CODES),
      ...['ok', 'taken', 'rate', 'full'],
    ])
    const compared = asked
      .flatMap(([, expression]) => readPromql(expression).matched)
      .filter(({ label }) => label === 'code' || label === 'result')
      .flatMap(({ text }) => text.split('|'))
    expect(compared).toContain('4008')
    expect(compared.filter((text) => !known.has(text))).toEqual([])
  })

  it('that are no PromQL, or ask for what is not there, would be found', () => {
    expect(() => readPromql('sum(rate(starling_sends_total[5m])) by (kind')).toThrow('not PromQL')
    const { metrics, matched, grouped } = readPromql(
      'sum by (kind) (rate(starling_snds_total{resul="ok"}[5m]))',
    )
    expect(metrics).toEqual(new Set(['starling_snds_total']))
    expect(matched).toEqual([{ metric: 'starling_snds_total', label: 'resul', text: 'ok' }])
    expect(grouped).toEqual(new Set(['kind']))
  })
})

describe('alert rules', () => {
  it('have names of their own, a severity and a summary', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { alert, labels, annotations } of rules) {
      expect(['page', 'warn'], alert).toContain(labels.severity)
      expect(annotations.summary, alert).toMatch(/\.$/)
    }
  })

  it('are the ones that the handbook says what to do about, and each leads there', () => {
    const [, alerts = ''] = handbook.split('\n## When an alert fires\n')
    const headings = [...alerts.matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading!)
    expect(headings.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted())
    for (const { alert, annotations } of rules) {
      expect(annotations.runbook).toBe(`docs/observability.md#${alert.toLowerCase()}`)
    }
  })
})

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

describe('metrics of our own', () => {
  const ours = own.filter(({ name }) => name.startsWith('starling_'))

  it.each(ours)('$name is named as Prometheus wants it, and says what it is', ({ name, type, help }) => {
    expect(name).toMatch(/^starling_[a-z]+(_[a-z]+)*$/)
    expect(name.endsWith('_total')).toBe(type === 'counter')
    expect(name).not.toMatch(/_(ms|milliseconds|kilobytes|percent)(_|$)/)
    expect(help).toMatch(/^[A-Z1].*\.$/)
  })

  it('are all in the handbook, with their labels, and no others', () => {
    const rows = [...handbook.matchAll(/^\| `(starling_\w+)` \|([^|]*)\|/gm)]
    const listed = rows.map(([, name, labels = '']) => [
      name,
      [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    ])
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(ours.map(({ name, labels }) => [name, labels])),
    )
  })
})

describe('the collection of metrics', () => {
  const config = parse(read('deploy/prometheus/prometheus.yml')) as {
    rule_files: string[]
    scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; type: string; port: number }[] }[]
  }

  it('finds gateways by their name, under the job that the rules ask for', () => {
    const starling = config.scrape_configs.find(({ job_name }) => job_name === 'starling')
    expect(starling?.dns_sd_configs).toMatchObject([{ names: ['gateway'], type: 'A', port: 8080 }])
    const jobs = new Set(config.scrape_configs.map(({ job_name }) => job_name))
    const wanted = asked
      .flatMap(([, expression]) => readPromql(expression).matched)
      .filter(({ label }) => label === 'job')
      .map(({ text }) => text)
    expect(wanted.filter((job) => !jobs.has(job))).toEqual([])
  })

  it('loads the rules that there are', () => {
    expect(config.rule_files).toEqual(['rules/*.yml'])
    expect(rules.length).toBeGreaterThan(10)
  })
})
