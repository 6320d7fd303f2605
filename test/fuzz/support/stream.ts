/**
 * What anybody might send over raw TCP: lines that are frames and lines that are none, their ends in every form, all of
 * it cut anywhere.
 */
import * as fc from 'fast-check'
import { type Known, type Said, said } from './frames.ts'

export interface Stream {
  bytes: Buffer
  /** Sizes of the pieces it is sent in, over and over; all at once where there are none. */
  sizes: readonly number[]
}

/** From the fourth on with empty lines behind. */
const ENDS = ['\n', '\n', '\r\n', '\n\n', '\r\n\r\n', '\n\r\n\n']
/** The most that one frame may have. */
const LARGEST = 65_536
/** After so many pieces the rest comes at once: each takes a turn of the event loop. */
const PIECES = 400

const sized = (bytes: number) => {
  const frame = (filling: string) => `{"op":"ping","ref":"sized","x":"${filling}"}`
  return frame('x'.repeat(bytes - frame('').length))
}

const textual = (words: string) => Buffer.from(words)
const isText = (bytes: Buffer) => bytes.equals(Buffer.from(bytes.toString('utf8')))

/** One line, without its end, that is UTF-8 and not too long; it may also be several. */
const goodLine = (known: Known): fc.Arbitrary<Buffer> =>
  fc
    .oneof(
      { weight: 40, arbitrary: said(known).map(({ data }) => Buffer.from(data)) },
      { weight: 1, arbitrary: fc.constantFrom('', ' ', '\t', '\r', '\u0000', '\ufeff{}').map(textual) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom(LARGEST - 1, LARGEST)
          .map(sized)
          .map(textual),
      },
      { weight: 1, arbitrary: said(known).map(({ data }) => textual(`\ufeff${data}`)) },
    )
    .filter((each) => isText(each) && each.length <= LARGEST)

const joined = (lines: fc.Arbitrary<Buffer[]>): fc.Arbitrary<Buffer> =>
  lines.chain((all) =>
    fc
      .array(fc.constantFrom(...ENDS), { minLength: all.length, maxLength: all.length })
      .map((ends) => Buffer.concat(all.flatMap((each, n) => [each, Buffer.from(ends[n]!)]))),
  )

const sizes = fc.oneof(
  fc.constant([]),
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 }),
  fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 }),
)

/** Lines in UTF-8 that are not too long: the gateway may tire of those that are no frames, of nothing else. */
export function goodStreams(known: Known, count: number): fc.Arbitrary<Stream> {
  const lines = fc.array(goodLine(known), { minLength: count, maxLength: count, size: 'max' })
  return fc.record({ bytes: joined(lines), sizes })
}

/** Some good lines, then what ends the connection at once: broken UTF-8, or a line too long, ended or not. */
export function badStreams(known: Known): fc.Arbitrary<Stream> {
  const lines = joined(fc.array(goodLine(known), { maxLength: 5 }))
  const broken = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 50 }).map((more) => Buffer.from([0xff, ...more, 0x0a])),
    // Cut within a character, surrogates, more bytes than needed.
    fc
      .constantFrom('e5ad', 'eda080', 'c080', 'f4908080', '80')
      .map((hex) => Buffer.from(`7b22${hex}227d0a`, 'hex')),
    fc.integer({ min: LARGEST + 1, max: 300_000 }).map((bytes) => textual(`${sized(bytes)}\r\n`)),
    fc.integer({ min: LARGEST + 2, max: 300_000 }).map((bytes) => textual('x'.repeat(bytes))),
    fc.integer({ min: LARGEST + 2, max: 100_000 }).map((bytes) => Buffer.alloc(bytes, 0xff)),
  )
  const bytes = fc.tuple(lines, broken, lines).map((parts) => Buffer.concat(parts))
  return fc.record({ bytes, sizes })
}

export function piecesOf({ bytes, sizes: given }: Stream): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = pieces.length < PIECES ? given[pieces.length % given.length] : undefined
    const piece = bytes.subarray(at, size === undefined ? undefined : at + size)
    pieces.push(piece)
    at += piece.length
  }
  return pieces
}

/**
 * What the lines of a stream say, read as the page has it: `\n` or `\r\n` ends one. A byte order mark before a frame is no
 * fault (RFC 8259, 8.1).
 */
export function saidIn({ bytes }: Stream): Said[] {
  const lines = bytes.toString('utf8').split('\n')
  return lines.map((each): Said => ({ as: 'text', data: each.replace(/\r$/, '').replace(/^\ufeff/, '') }))
}
