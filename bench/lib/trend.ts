/**
 * Whether a curve is flat: a straight line through it, by least squares.
 */

/** @returns how much a curve rises from its beginning to its end, as a share of its mean; 0 for less than two points */
export function riseOf(points: readonly { x: number; y: number }[]): number {
  if (points.length < 2) return 0
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  const slope =
    points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) /
    points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
  return (slope * (points.at(-1)!.x - points[0]!.x)) / y
}
