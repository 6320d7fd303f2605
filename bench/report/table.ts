/**
 * Series as tables: a line for each figure, a column for each system, medians with their spread.
 */
import type { Series } from '../lib/interleave.ts'
import type { Spread } from '../lib/statistics.ts'
import { figureName, figureOf } from './figures.ts'

const LINE_CHARACTERS = 300

/** @returns a number as a reader wants it: three digits, thousands apart */
export const asNumber = (value: number): string =>
  Number.isNaN(value)
    ? '–'
    : Math.abs(value) >= 100
      ? Math.round(value).toLocaleString('en-US')
      : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

/** @returns the median, and in parentheses the least and the greatest */
const asSpread = ({ median, min, max, count }: Spread): string =>
  count > 1 ? `${asNumber(median)} (${asNumber(min)}–${asNumber(max)})` : asNumber(median)

/** @returns a table as lines of Markdown, its columns padded so that a terminal shows it too */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)]
}

/** @returns the figures of a part, such as `dm@1000`, of all systems that have them */
export function partTable(part: string, series: readonly Series[]): string[] {
  const keys = [
    ...new Set(series.flatMap(({ samples }) => samples.flatMap(({ figures }) => Object.keys(figures)))),
  ]
  const own = keys.filter((key) => key.startsWith(`${part}.`))
  const columns = series.filter((one) => own.some((key) => figureOf(one, key).count > 0))
  return tableOf(
    ['', ...columns.map(({ name }) => name)],
    own.map((key) => {
      const { label, unit } = figureName(key)
      return [
        unit === '' ? label : `${label}, ${unit}`,
        ...columns.map((one) => asSpread(figureOf(one, key))),
      ]
    }),
  )
}

/** @returns the beginning of what somebody says, on one line */
export const shortened = (words: string): string =>
  words.length > LINE_CHARACTERS
    ? `${words.slice(0, LINE_CHARACTERS).replaceAll('\n', ' ')} …`
    : words.replaceAll('\n', ' ')
