/** What an expression asks for, read with Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql'

export interface Asked {
  /** Names of series. */
  metrics: Set<string>
  /** series → labels that are matched, with what they are compared to */
  matched: { metric: string; label: string; text: string }[]
  /** Labels that results are grouped or joined by. */
  grouped: Set<string>
}

/** Dashboards have variables in their expressions; the grammar does not know them. */
const withoutVariables = (expression: string) =>
  expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$\{?\w+\}?/g, 'x')

/** Reads an expression. @throws Error where it isn't one */
export function readPromql(expression: string): Asked {
  const text = withoutVariables(expression)
  const asked: Asked = { metrics: new Set(), matched: [], grouped: new Set() }
  let metric = ''
  parser.parse(text).iterate({
    enter({ type, node, from, to }) {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${text}`)
      const part = text.slice(from, to)
      if (type.name === 'VectorSelector') {
        metric = text.slice(from, to).match(/^[\w:]*/)?.[0] ?? ''
        asked.metrics.add(metric)
      } else if (type.name === 'UnquotedLabelMatcher') {
        const label = node.getChild('LabelName')!
        const value = node.getChild('StringLiteral')!
        asked.matched.push({
          metric,
          label: text.slice(label.from, label.to),
          text: text.slice(value.from + 1, value.to - 1),
        })
      } else if (type.name === 'LabelName' && node.parent?.name === 'GroupingLabels') {
        asked.grouped.add(part)
      }
    },
  })
  return asked
}
