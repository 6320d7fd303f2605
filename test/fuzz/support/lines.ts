/**
 * One fuzzed line: what was said is said, and what came back is judged. Every frame must be one that the protocol has,
 * every ref gets its replies and nobody else's, and a close has a reason.
 */
import { expect } from 'vitest'
import { until } from '../../support/harness.ts'
import type { Client } from '../../support/harness-client.ts'
import type { TcpClient } from '../../support/harness-tcp.ts'
import { frameFault } from '../../support/server-frame-schema.ts'
import type { WireClient } from '../../support/wire-client.ts'
import type { Said } from './frames.ts'
import { expectedReplies, overanswered, unanswered } from './replies.ts'
import { piecesOf, type Stream, saidIn } from './stream.ts'

/** Replies may be under way when the pong that was asked for last is here: how long, on a busy machine, ms. */
const PATIENCE_MS = 15_000
const LAST = { op: 'ping', ref: 'the last thing asked' }

function say(line: WireClient, { as, data }: Said): void {
  if (as === 'bytes') line.sayText(Buffer.from(data))
  else line.say(as === 'text' ? data : Buffer.from(data))
}

/** Says all of it at once. @returns the close code, or undefined where the line is still good */
export async function sayAll(line: WireClient, all: readonly Said[]): Promise<number | undefined> {
  return answersTo(line, all, () => {
    for (const each of all) say(line, each)
    line.say(LAST)
  })
}

/** Sends a stream in its pieces. @returns as `sayAll` */
export async function sayStream(line: TcpClient, stream: Stream): Promise<number | undefined> {
  const pieces = [...piecesOf(stream), Buffer.from(`\n${JSON.stringify(LAST)}\n`)]
  return answersTo(line, saidIn(stream), async () => {
    for (const piece of pieces) {
      if (line.end !== undefined) return
      line.say(piece)
      // So that it goes by itself.
      await new Promise(setImmediate)
    }
  })
}

async function answersTo(
  line: Client,
  all: readonly Said[],
  talk: () => void | Promise<void>,
): Promise<number | undefined> {
  const since = line.frames.length
  await talk()
  const expected = expectedReplies([...all, { as: 'text', data: JSON.stringify(LAST) }])
  const came = () => line.frames.slice(since)
  const isDone = async () => line.end !== undefined || unanswered(expected, came()).length === 0
  await until(isDone, PATIENCE_MS, 'replies or a close').catch(() => {
    throw new Error(`no reply to ${JSON.stringify(unanswered(expected, came()))}`)
  })
  judge(line)
  expect(overanswered(expected, came())).toEqual([])
  return line.end?.code
}

/** @throws where something came over this line that the protocol doesn't have */
export function judge(line: Client): void {
  const faults = line.frames.flatMap((frame) => frameFault(frame) ?? [])
  expect(faults).toEqual([])
}
