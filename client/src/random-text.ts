/**
 * Random names, for pages without TLS too, where there is no `crypto.randomUUID`.
 */

/** @returns 32 hex digits */
export function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
