/**
 * What keeps a gateway from starting and its operator can mend; the message says what and how.
 */
export class BootError extends Error {
  override readonly name = 'BootError'
}
