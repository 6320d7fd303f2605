/**
 * Whether a curve is flat. The line through it is that of Theil and Sen, whose slope is the median of the slopes between any
 * two points (P. K. Sen, Estimates of the Regression Coefficient Based on Kendall's Tau, 1968): a leak raises all of them, and
 * a burst that is over only those of its own points, which a line by least squares would follow. What begins in the last
 * quarter is in too few of them to be seen.
 */
import { spreadOf } from './statistics.ts'

/** @returns how much a curve rises from its beginning to its end, as a share of its median; 0 for less than two points */
export function riseOf(points: readonly { x: number; y: number }[]): number {
  if (points.length < 2) return 0
  const slopes = points.flatMap((one, index) =>
    points.slice(index + 1).map((later) => (later.y - one.y) / (later.x - one.x)),
  )
  const slope = spreadOf(slopes).median
  return (slope * (points.at(-1)!.x - points[0]!.x)) / spreadOf(points.map(({ y }) => y)).median
}
