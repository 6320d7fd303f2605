/**
 * What anybody might send over raw TCP: the frames are those of WebSockets, the lines and their pieces are anything. The
 * gateway answers as the page says, says why it hangs up, disturbs nobody and holds no more than before.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { useWorld } from '../support/harness.ts'
import { INSPECTED, MIB, memoryIsBack, memoryOf } from '../support/memory-probe.ts'
import { isListedClose } from '../support/server-frame-schema.ts'
import type { Known } from './support/frames.ts'
import { judge, sayStream } from './support/lines.ts'
import { badStreams, goodStreams } from './support/stream.ts'

/** What a frame may be is fuzzed over WebSockets. Here it is the lines, many of them cut small, which takes longer. */
const LINES = Math.min(5_000, Number(process.env['FUZZ_FRAMES'] ?? 10_000) / 10)
const LINES_PER_STREAM = 25
/** Streams that are fuzzed at the same time. */
const LANES = 4
const BAD_STREAMS = LINES / 20

// Rates would refuse most of it; short logs keep a sync from bringing everything that was said before.
const world = await useWorld({
  env: {
    ...INSPECTED,
    SEND_RATE: '1000000',
    SEND_BURST: '1000000',
    CONNECT_RATE: '100000',
    LOG_MAXLEN: '100',
    INBOX_MAXLEN: '100',
  },
})
const { gw1, gw2 } = world

const users = ['fuzz-1', 'fuzz-2', '__proto__', 'constructor']
const tokens = new Map(users.map((user) => [user, world.userCalled(user).token()]))
const group = await world.userCalled(users[0]!).createGroup({ members: users.slice(1).map((id) => ({ id })) })
const known: Known = {
  users: [...users, 'system'],
  convs: [group.conv, 'channel:lobby'],
  tokens: [...tokens.values(), '', 'a.b.c', world.cluster.apiKey],
}
const [bystander, other] = [
  await world.user('bystander').connectTcp(gw1),
  await world.user('other').connect(gw2),
]

async function lineOf(user: string) {
  const line = await world.openTcp(gw1)
  line.socket.setNoDelay(true)
  await line.hello({ token: tokens.get(user)!, device: 'fuzz' })
  return line
}

/** Sends so many lines that may be anything but not UTF-8 or too long. */
async function fuzz(lines: number): Promise<void> {
  const streams = fc.record({
    user: fc.constantFrom(...users),
    stream: goodStreams(known, LINES_PER_STREAM),
  })
  const property = fc.asyncProperty(streams, async ({ user, stream }) => {
    const line = await lineOf(user)
    expect([undefined, 4000]).toContain(await sayStream(line, stream))
    line.drop()
  })
  const numRuns = Math.ceil(lines / LINES_PER_STREAM / LANES)
  await Promise.all(Array.from({ length: LANES }, () => fc.assert(property, { numRuns, endOnFailure: true })))
}

async function fuzzEnds(count: number): Promise<void> {
  const streams = fc.record({ user: fc.constantFrom(...users), stream: badStreams(known) })
  const property = fc.asyncProperty(streams, async ({ user, stream }) => {
    const line = await lineOf(user)
    const code = await sayStream(line, stream)
    expect([1007, 1009, 4000]).toContain(code)
    expect(isListedClose(code!)).toBe(true)
  })
  const numRuns = Math.ceil(count / LANES)
  await Promise.all(Array.from({ length: LANES }, () => fc.assert(property, { numRuns, endOnFailure: true })))
}

/** The two who do nothing wrong get what they send each other. */
async function othersAreFine(): Promise<void> {
  const ack = await bystander.send(other, 'all is well')
  await other.expects('message', { id: ack.id })
  for (const line of [bystander, other]) {
    expect(line.end).toBeUndefined()
    judge(line)
  }
  expect([await gw1.status('/readyz'), await gw2.status('/readyz')]).toEqual([200, 200])
  expect(world.output).not.toContain('"level":50')
}

test(`${LINES} lines in any pieces are answered as the page says, disturb nobody, and leave no memory behind`, {
  timeout: 120_000,
}, async () => {
  await fuzz(LINES / 2)
  await fuzzEnds(BAD_STREAMS / 2)
  const warm = await memoryOf(gw1)
  await fuzz(LINES / 2)
  await fuzzEnds(BAD_STREAMS / 2)
  // What was held after one half is held after the other: pools are filled, caches have their size.
  const after = await memoryIsBack(gw1, warm, { used: 4 * MIB, rss: 48 * MIB })
  console.log(`${LINES} lines: used ${warm.used / MIB} → ${after.used / MIB} MiB`)
  await othersAreFine()
})
