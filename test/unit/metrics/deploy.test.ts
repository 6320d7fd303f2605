/** Alert rules, dashboards and their documentation stand on metrics that exist. */
import { CLOSE_CODES } from '@starling/protocol/close'
import { ERROR_CODES } from '@starling/protocol/errors'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { asked, read, rules, series } from './deployed.ts'
import { gatewayMetrics, TARGET_LABELS } from './known-metrics.ts'
import { readPromql } from './promql.ts'

const own = gatewayMetrics()
const handbook = read('docs/observability.md')

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
