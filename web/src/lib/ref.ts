/** Names for sends. */

/** @returns a ref that nobody else has; pages without TLS have no `crypto.randomUUID` */
export function refOf(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
