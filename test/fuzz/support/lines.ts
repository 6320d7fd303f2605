/**
 * One fuzzed line: what was said is said, and what came back is judged. Every frame must be one that the protocol has,
 * every ref gets its replies and nobody else's, and a close has a reason.
 */
import { expect } from 'vitest'
import { until } from '../../support/harness.ts'
import type { Client } from '../../support/harness-client.ts'
import { frameFault } from '../../support/server-frame-schema.ts'
import type { WireClient } from '../../support/wire-client.ts'
import type { Said } from './frames.ts'
import { expectedReplies, overanswered, unanswered } from './replies.ts'

/** Replies may be under way when the pong that was asked for last is here: how long, on a busy machine, ms. */
const PATIENCE_MS = 15_000
const LAST = 'the last thing asked'

function say(line: WireClient, { as, data }: Said): void {
  if (as === 'bytes') line.sayText(Buffer.from(data))
  else line.say(as === 'text' ? data : Buffer.from(data))
}

/** Says all of it at once. @returns the close code, or undefined where the line is still good */
export async function sayAll(line: WireClient, all: readonly Said[]): Promise<number | undefined> {
  const since = line.frames.length
  for (const each of all) say(line, each)
  line.say({ op: 'ping', ref: LAST })
  const expected = expectedReplies([...all, { as: 'text', data: JSON.stringify({ op: 'ping', ref: LAST }) }])
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
