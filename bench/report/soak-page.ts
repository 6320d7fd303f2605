/**
 * What a soak found, as the page `docs/soak.md`: both memory curves, and whether they are flat.
 */
import { riseOf } from '../lib/trend.ts'
import type { Point, SoakResult } from '../scenarios/soak.ts'
import { surroundings } from './surroundings.ts'
import { asNumber, shortened, tableOf } from './table.ts'

/** The caches fill, Redis' refs begin to lapse: what comes after that has to be flat, minutes. */
const SETTLED_AFTER = 10
/** A curve that rises by less from there to the end is flat. */
const FLAT = 0.05
/** Points of a drawn curve, and rows of the table. */
const DRAWN = 60
const ROWS = 12

interface Curve {
  name: string
  of: (point: Point) => number
}

const CURVES: readonly Curve[] = [
  { name: 'both gateways', of: ({ gateways }) => gateways.reduce((sum, mib) => sum + mib, 0) },
  { name: 'Redis', of: ({ redis }) => redis },
  { name: 'data in Redis', of: ({ redisData }) => redisData },
]

/** @returns a fault for each curve that goes on rising after the first ten minutes, or a sixth of a shorter soak */
export function rises({ points }: SoakResult): string[] {
  const settled = settledOf(points)
  return CURVES.flatMap(({ name, of }) => {
    const rise = riseOf(settled.map((point) => ({ x: point.minute, y: of(point) })))
    return rise > FLAT ? [`the memory of ${name} rises by ${asNumber(rise * 100)} %`] : []
  })
}

function settledOf(points: readonly Point[]): Point[] {
  const from = Math.min(SETTLED_AFTER, (points.at(-1)?.minute ?? 0) / 6)
  return points.filter(({ minute }) => minute >= from)
}

/** @param faults all that went wrong, rising curves included */
export function soakPage(result: SoakResult, faults: readonly string[]): string {
  const { points, saturation, rate, upheaval, before, after } = result
  const minutes = points.at(-1)?.minute ?? 0
  const { opened, dropped, joined, left } = upheaval
  return `${[
    '# Soak',
    '',
    `Written by \`npm run bench:soak\`: ${asNumber(minutes)} minutes of one-to-one messages at ${asNumber(rate)}/s, half of the ${asNumber(saturation)}/s of this run's saturation, over two gateways and one Redis, while users come and go, watch each other's presence, and join and leave groups.`,
    '',
    ...surroundings().map((line) => `- ${line}`),
    `- sessions opened ${asNumber(opened)}, dropped ${asNumber(dropped)}; groups joined ${asNumber(joined)}, left ${asNumber(left)} times`,
    `- left behind when all had gone: open files ${before.descriptors.join(' + ')} before, ${after.descriptors.join(' + ')} after; subscriptions ${before.channels} and ${after.channels}; users with sessions ${after.sessions}`,
    '',
    '## Memory, MiB',
    '',
    ...CURVES.slice(0, 2).flatMap((curve) => chart(curve, points)),
    ...tableOf(
      ['minute', ...CURVES.map(({ name }) => name), 'messages/s', 'ack p99, ms'],
      thinned(points, ROWS).map((point) => [
        point.minute.toFixed(0),
        ...CURVES.map(({ of }) => asNumber(of(point))),
        asNumber(point.perSecond),
        asNumber(point.ackP99),
      ]),
    ),
    '',
    ...CURVES.map(({ name, of }) => {
      const rise = riseOf(settledOf(points).map((point) => ({ x: point.minute, y: of(point) })))
      return `- ${name}: ${asNumber(rise * 100)} % from minute ${asNumber(settledOf(points)[0]?.minute ?? 0)} to the end (flat: up to ${FLAT * 100} %)`
    }),
    ...(faults.length > 0
      ? ['', '## What went wrong', '', ...faults.map((fault) => `- ${shortened(fault)}`)]
      : []),
  ].join('\n')}\n`
}

function chart({ name, of }: Curve, points: readonly Point[]): string[] {
  const drawn = thinned(points, DRAWN)
  const top = Math.ceil(Math.max(...drawn.map(of)) * 1.1)
  return [
    '```mermaid',
    'xychart-beta',
    `  title "${name}, MiB"`,
    `  x-axis "minute" 0 --> ${Math.ceil(points.at(-1)?.minute ?? 1)}`,
    `  y-axis 0 --> ${top}`,
    `  line [${drawn.map((point) => of(point).toFixed(1)).join(', ')}]`,
    '```',
    '',
  ]
}

/** @returns at most so many points, evenly spread, the last one among them */
function thinned(points: readonly Point[], count: number): Point[] {
  const step = Math.max(1, points.length / count)
  return Array.from(
    { length: Math.min(count, points.length) },
    (_, index) => points[Math.ceil((index + 1) * step) - 1]!,
  )
}
