/**
 * The one clock of a run: the kernel's monotonic one, which all processes of a machine share.
 */

/** When a load starts, from when it is measured, and when both end. */
export interface Times {
  startUs: number
  measureUs: number
  endUs: number
}

/** Time for the generators to hear of a load before it starts. */
const LEAD_MS = 200

/** @returns the times of a load that starts in a moment */
export function timesFromNow({ warmupMs, measureMs }: { warmupMs: number; measureMs: number }): Times {
  const startUs = nowUs() + LEAD_MS * 1e3
  const measureUs = startUs + warmupMs * 1e3
  return { startUs, measureUs, endUs: measureUs + measureMs * 1e3 }
}

const TRIES = 50

/**
 * `performance.now` is the cheaper reading of the same clock, but counts from the start of its process. Who is held up
 * between the two readings finds too small a difference: the largest is the one.
 */
const originUs = Math.max(
  ...Array.from({ length: TRIES }, () => {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1e6 + nanoseconds / 1e3 - performance.now() * 1e3
  }),
)

/** @returns µs */
export function nowUs(): number {
  return Math.floor(originUs + performance.now() * 1e3)
}

/** Waits until the clock shows `atUs`. */
export function until(atUs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, (atUs - nowUs()) / 1e3)))
}
