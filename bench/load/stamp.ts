/**
 * The stamp of a send, which is its ref: of which stream it is, its number in it and when it was due. Acks and
 * messages bring it back, so that nothing needs to be remembered or parsed.
 */

export interface Stamp {
  /** The number of the sender. */
  stream: number
  /** 0, 1, 2 … within the stream. */
  n: number
  dueUs: number
}

const STREAM_DIGITS = 6
const NUMBER_DIGITS = 8
const TIME_DIGITS = 15
const START = '"ref":"#'
const STAMP_BYTES = START.length + STREAM_DIGITS + NUMBER_DIGITS + TIME_DIGITS + 2
const DIGIT_0 = 0x30
/** What a stamp begins with, as bytes: `"ref":"#`. */
const START_BYTES = Buffer.from(START, 'latin1')
const HASH = START_BYTES[START.length - 1]!

/** A body of this size, the same in every system. */
const BODY_BYTES = 128
export const BODY = ((empty) =>
  JSON.stringify({ type: 'text', text: 'x'.repeat(BODY_BYTES - empty.length) }))(
  JSON.stringify({ type: 'text', text: '' }),
)

/** @returns the ref of a send */
export function stampOf({ stream, n, dueUs }: Stamp): string {
  const digits = (value: number, count: number) => String(value).padStart(count, '0')
  return `#${digits(stream, STREAM_DIGITS)}.${digits(n, NUMBER_DIGITS)}.${digits(dueUs, TIME_DIGITS)}`
}

/**
 * Reads the next stamp from `start` on into `stamp`, which saves an object per frame.
 * @returns where it ends; -1 where there is none: messages of the server itself have none
 */
export function readStamp(data: Buffer, start: number, end: number, stamp: Stamp): number {
  const hash = findStamp(data, start, end)
  if (hash < 0) return -1
  let at = hash + 1
  stamp.stream = digitsAt(data, at, STREAM_DIGITS)
  at += STREAM_DIGITS + 1
  stamp.n = digitsAt(data, at, NUMBER_DIGITS)
  at += NUMBER_DIGITS + 1
  stamp.dueUs = digitsAt(data, at, TIME_DIGITS)
  return at + TIME_DIGITS
}

/** A loop over the bytes: a frame is short, and `indexOf` would leave JavaScript for every one of them. */
function findStamp(data: Buffer, start: number, end: number): number {
  const last = end - STAMP_BYTES
  for (let at = start; at <= last; at++) {
    if (data[at + 7] === HASH && data[at + 1] === START_BYTES[1] && data[at + 5] === START_BYTES[5])
      return at + 7
  }
  return -1
}

function digitsAt(data: Buffer, at: number, count: number): number {
  let value = 0
  for (let index = at; index < at + count; index++) value = value * 10 + (data[index]! - DIGIT_0)
  return value
}
