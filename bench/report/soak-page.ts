/**
 * What a soak found, as the page `docs/soak.md`: both memory curves, and whether they are flat.
 */
import { riseOf } from '../lib/trend.ts'
import type { Point, SoakResult } from '../scenarios/soak.ts'
import { surroundings } from './surroundings.ts'
import { asNumber, shortened, tableOf } from './table.ts'

/** A curve that rises by less from where it has settled to the end is flat. */
const FLAT = 0.05
/** Points of a drawn curve, and rows of the table. */
const DRAWN = 60
const ROWS = 12

interface Curve {
  name: string
  of: (point: Point) => number
  /** From this minute on it has to be flat. */
  settledAfter: number
}

/** Caches are full and code is compiled. */
const WARM = 10
/** Redis forgets a ref after ten to twenty minutes: until then it holds more of them with every message. */
const REFS_LAPSE = 20
const CURVES: readonly Curve[] = [
  {
    name: 'both gateways',
    of: ({ gateways }) => gateways.reduce((sum, mib) => sum + mib, 0),
    settledAfter: WARM,
  },
  { name: 'Redis', of: ({ redis }) => redis, settledAfter: REFS_LAPSE },
  { name: 'data in Redis', of: ({ redisData }) => redisData, settledAfter: REFS_LAPSE },
]

/** @returns a fault for each curve that goes on rising once it has settled */
export function rises({ points }: SoakResult): string[] {
  return CURVES.flatMap((curve) => {
    const rise = riseIn(curve, points)
    return rise !== undefined && rise > FLAT
      ? [`the memory of ${curve.name} rises by ${asNumber(rise * 100)} %`]
      : []
  })
}

/** @returns the rise of a settled curve to the end; undefined where less of it is settled than not: too short to say */
function riseIn({ of, settledAfter }: Curve, points: readonly Point[]): number | undefined {
  if ((points.at(-1)?.minute ?? 0) < 2 * settledAfter) return undefined
  const settled = points.filter(({ minute }) => minute >= settledAfter)
  return riseOf(settled.map((point) => ({ x: point.minute, y: of(point) })))
}

/** @param faults all that went wrong, rising curves included */
export function soakPage(result: SoakResult, faults: readonly string[]): string {
  const { points, saturation, rate, redisNice, upheaval, before, after } = result
  const minutes = points.at(-1)?.minute ?? 0
  const { opened, dropped, joined, left } = upheaval
  return `${[
    '# Soak',
    '',
    `Written by \`npm run bench:soak\`: ${asNumber(minutes)} minutes of one-to-one messages, ${asNumber(rate)}/s of them offered, half of the ${asNumber(saturation)}/s that got through in the two minutes before with one message of each sender under way, over two gateways and one Redis. All the time users come and go, watch each other's presence, and join and leave groups.`,
    '',
    ...surroundings().map((line) => `- ${line}`),
    `- Redis at nice ${redisNice}${redisNice < 0 ? ', and the children that rewrite its AOF at 0, as [deployment.md](deployment.md#a-machine-that-redis-shares) has it' : ', like all others: who ran this may not put it before them'}`,
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
    'Redis remembers a ref for ten to twenty minutes, so it is full after twenty. A rise is the median of the slopes between any two points (Theil and Sen), which a burst that is over does not move, nor what begins in the last quarter of the time.',
    '',
    ...CURVES.map((curve) => {
      const rise = riseIn(curve, points)
      return rise === undefined
        ? `- ${curve.name}: not judged in less than ${2 * curve.settledAfter} minutes`
        : `- ${curve.name}: ${asNumber(rise * 100)} % from minute ${curve.settledAfter} to the end (flat: up to ${FLAT * 100} %)`
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
