/**
 * The frames a load generator writes and reads. Every send carries a stamp, as its ref, that says of which stream
 * it is, its number in it and when it was due; acks and messages bring it back, so that nothing needs to be
 * remembered or parsed.
 */

export interface Stamp {
  /** The number of the sender. */
  stream: number
  /** 0, 1, 2 … within the stream. */
  n: number
  dueUs: number
}

const STREAM_DIGITS = 5
const NUMBER_DIGITS = 8
const TIME_DIGITS = 15
const STAMP_START = '"ref":"#'
/** Where the name of the op begins: every frame of a gateway starts with its op. */
const OP_AT = '{"op":"'.length

export const BODY_BYTES = 128

/** @returns the frame that opens a session */
export const helloFrame = (user: string, token: string): string =>
  JSON.stringify({ op: 'hello', ref: 'hello', token, device: `device-${user}`, platform: 'bench' })

/** @returns a writer of sends to one target, their bodies of BODY_BYTES of JSON */
export function sendFrames(to: string): (stamp: Stamp) => string {
  const empty = JSON.stringify({ type: 'text', text: '' })
  const body = JSON.stringify({ type: 'text', text: 'x'.repeat(BODY_BYTES - empty.length) })
  const digits = (value: number, count: number) => String(value).padStart(count, '0')
  return ({ stream, n, dueUs }) =>
    `{"op":"send",${STAMP_START}${digits(stream, STREAM_DIGITS)}.${digits(n, NUMBER_DIGITS)}.${digits(dueUs, TIME_DIGITS)}","to":"${to}","body":${body}}`
}

export type Kind = 'ack' | 'message' | 'welcome' | 'error' | 'other'

/** @returns what kind of frame lies there */
export function kindOf(data: Buffer, start: number): Kind {
  switch (data[start + OP_AT]) {
    case 0x61: // a
      return 'ack'
    case 0x6d: // m
      return 'message'
    case 0x77: // w
      return 'welcome'
    case 0x65: // e
      return 'error'
    default:
      return 'other'
  }
}

/**
 * Reads the stamp of an ack or message into `stamp`, which saves an object per frame.
 * @returns whether there was one: messages of the server itself have none
 */
export function readStamp(data: Buffer, start: number, end: number, stamp: Stamp): boolean {
  let at = data.indexOf(STAMP_START, start, 'latin1')
  if (at < 0 || at >= end) return false
  at += STAMP_START.length
  stamp.stream = digitsAt(data, at, STREAM_DIGITS)
  at += STREAM_DIGITS + 1
  stamp.n = digitsAt(data, at, NUMBER_DIGITS)
  at += NUMBER_DIGITS + 1
  stamp.dueUs = digitsAt(data, at, TIME_DIGITS)
  return true
}

function digitsAt(data: Buffer, at: number, count: number): number {
  let value = 0
  for (let index = at; index < at + count; index++) value = value * 10 + (data[index]! - 0x30)
  return value
}
