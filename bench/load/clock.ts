/**
 * The one clock of a run: the kernel's monotonic one, which all processes of a machine share.
 */

/** @returns µs */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + Math.floor(nanoseconds / 1e3)
}

/** Waits until the clock shows `atUs`. */
export function until(atUs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, (atUs - nowUs()) / 1e3)))
}
