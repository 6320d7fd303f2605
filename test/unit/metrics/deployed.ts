/** What lies in deploy/ for Prometheus and Grafana, read. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { FOREIGN, gatewayMetrics, seriesOf } from './known-metrics.ts'

const root = new URL('../../../', import.meta.url)
export const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
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
  targets?: { refId: string; expr: string; legendFormat: string }[]
}

interface Variable {
  name: string
  type: string
  query: unknown
  definition?: string
}

interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
  templating: { list: Variable[] }
}

export const rules = files('deploy/prometheus/rules/').flatMap((file) =>
  (parse(read(file)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
)
export const dashboards = files('deploy/grafana/dashboards/').map(
  (file) => JSON.parse(read(file)) as Dashboard,
)
/** What can be asked for. */
export const series = new Map([...seriesOf(gatewayMetrics()), ...FOREIGN])

/** Every expression of a rule or a panel. */
export const asked: [where: string, expression: string, legend: string][] = [
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
