import { expect, it } from 'vitest'
import { readStamp, type Stamp, stampOf } from '../../../bench/load/stamp.ts'

const frame = (...stamps: Stamp[]) =>
  Buffer.from(
    stamps.map((stamp) => `{"op":"message","id":"1-1","ref":"${stampOf(stamp)}","body":{}}`).join(','),
  )

function stampsIn(data: Buffer, end = data.length): Stamp[] {
  const found: Stamp[] = []
  const stamp: Stamp = { stream: 0, n: 0, dueUs: 0 }
  for (let at = readStamp(data, 0, end, stamp); at >= 0; at = readStamp(data, at, end, stamp))
    found.push({ ...stamp })
  return found
}

it('reads back every stamp of a frame, in order', () => {
  const stamps = [
    { stream: 0, n: 0, dueUs: 0 },
    { stream: 99_999, n: 12_345_678, dueUs: 123_456_789_012_345 },
  ]
  expect(stampsIn(frame(...stamps))).toEqual(stamps)
})

it('takes another ref for none, and reads nothing beyond the end', () => {
  expect(stampsIn(Buffer.from('{"op":"message","ref":"5f0e9a3c-6a1b-4c2d-9e8f-112233445566"}'))).toEqual([])
  const data = frame({ stream: 1, n: 2, dueUs: 3 })
  expect(stampsIn(data, data.indexOf('"body"') - 3)).toEqual([])
})
