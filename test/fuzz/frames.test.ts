/**
 * What anybody might say over a WebSocket, by the ten thousands. The gateway answers as the page says, others notice
 * nothing, what is stored can be read, and afterwards it holds no more than before.
 */

import type { Message } from '@starling/protocol/frames'
import * as fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { seqOf, until, useWorld } from '../support/harness.ts'
import { INSPECTED, MIB, memoryIsBack, memoryOf } from '../support/memory-probe.ts'
import { frameFault, isListedClose } from '../support/server-frame-schema.ts'
import { endings, type Known, type Said, said } from './support/frames.ts'
import { judge, sayAll } from './support/lines.ts'

/** `npm run test:fuzz` sets many more. */
const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 10_000)
const FRAMES_PER_LINE = 100
/** Lines that are fuzzed at the same time. */
const LANES = 4

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

const users = ['fuzz-1', 'fuzz-2', 'fuzz-3', '__proto__', 'constructor', 'FUZZ-1', '-', 'x'.repeat(64)]
const tokens = new Map(users.map((user) => [user, world.userCalled(user).token()]))
const groups = await Promise.all(
  users
    .slice(0, 3)
    .map(async (user) =>
      world.userCalled(user).createGroup({ members: users.slice(2, 6).map((id) => ({ id })) }),
    ),
)
const known: Known = {
  users: [...users, 'system'],
  convs: [...groups.map(({ conv }) => conv), 'channel:lobby', 'channel:announcements'],
  tokens: [...tokens.values(), '', 'a.b.c', 'null', world.cluster.apiKey, world.sign({ sub: 'system' })],
}

const [bystander, other] = [
  await world.user('bystander').connect(gw1),
  await world.user('other').connect(gw2),
]
const counts = { frames: 0, closes: new Map<string, number>() }
afterAll(() =>
  console.log(`${counts.frames} frames; closes: ${JSON.stringify(Object.fromEntries(counts.closes))}`),
)

async function lineOf(user: string) {
  const line = await world.open(gw1)
  await line.hello({ token: tokens.get(user)!, device: 'fuzz' })
  return line
}

/** A closed line's code must be one of the page, and one that this kind of input may have. */
function closedWith(code: number | undefined, allowed: readonly number[]): void {
  if (code === undefined) return
  counts.closes.set(`${code}`, (counts.closes.get(`${code}`) ?? 0) + 1)
  expect(isListedClose(code)).toBe(true)
  expect(allowed).toContain(code)
}

/** Fuzzes with so many frames, each line a user's. */
async function fuzz(frames: number): Promise<void> {
  const lines = fc.record({
    user: fc.constantFrom(...users),
    all: fc.array(said(known), { minLength: FRAMES_PER_LINE, maxLength: FRAMES_PER_LINE, size: 'max' }),
  })
  const property = fc.asyncProperty(lines, async ({ user, all }) => {
    const line = await lineOf(user)
    closedWith(await sayAll(line, all), [4000])
    counts.frames += all.length
    line.drop()
  })
  const numRuns = Math.ceil(frames / FRAMES_PER_LINE / LANES)
  await Promise.all(Array.from({ length: LANES }, () => fc.assert(property, { numRuns, endOnFailure: true })))
}

/** The two who do nothing wrong get what they send each other, and nothing that is not for them. */
async function othersAreFine(): Promise<void> {
  const ack = await bystander.send(other, 'all is well')
  await other.expects('message', { id: ack.id })
  for (const line of [bystander, other]) {
    expect(line.end).toBeUndefined()
    judge(line)
    const foreign = line
      .seen('message')
      .filter(({ conv, from }) => !conv.startsWith('channel:') && from !== bystander.id)
    expect(foreign).toEqual([])
  }
  expect([await gw1.status('/readyz'), await gw2.status('/readyz')]).toEqual([200, 200])
}

const MINUTES = 60_000

test(`${FRAMES} frames are answered as the page says, disturb nobody, and leave no memory behind`, {
  timeout: 10 * MINUTES,
}, async () => {
  await fuzz(FRAMES / 2)
  const warm = await memoryOf(gw1)
  await fuzz(FRAMES / 2)
  // What was held after one half is held after the other: pools are filled, caches have their size.
  const after = await memoryIsBack(gw1, warm, { used: 4 * MIB, rss: 48 * MIB })
  console.log(
    `used ${warm.used / MIB} → ${after.used / MIB} MiB, rss ${warm.rss / MIB} → ${after.rss / MIB} MiB`,
  )
  await othersAreFine()
})

test('what was stored meanwhile is whole: every inbox, every log, live and by HTTP', async () => {
  for (const user of users) {
    const line = await lineOf(user)
    const { messages, synced } = await line.sync({
      inbox: '0-0',
      convs: Object.fromEntries(known.convs.map((conv) => [conv, '0-0'])),
    })
    judge(line)
    const inbox = messages.flatMap((message) => (message.inbox ? [seqOf(message.inbox)] : []))
    expect(inbox).toEqual(inbox.map((_, n) => inbox[0]! + n))
    const http = world.userCalled(user).http(gw2)
    for (const { conv, head } of synced.convs) {
      const { status, body } = await http.get<{ messages: Message[] }>(
        `/conversations/${conv}/messages?limit=100`,
      )
      expect(status).toBe(200)
      const faults = body.messages.flatMap((message) => frameFault({ op: 'message', ...message }) ?? [])
      expect(faults).toEqual([])
      const seqs = body.messages.map(({ id }) => seqOf(id))
      expect(seqs).toEqual(seqs.map((_, n) => seqOf(head) - seqs.length + 1 + n))
    }
    await line.close()
  }
})

test('no session is left over, and nothing secret has been logged', async () => {
  for (const user of users) {
    const http = world.userCalled(user).http()
    const isGone = async () => {
      const { body } = await http.get<{ sessions: unknown[] }>('/sessions')
      return body.sessions.length === 0
    }
    await until(isGone, 10_000, `the end of ${user}'s sessions`)
  }
  const { jwtSecret, apiKey } = world.cluster
  for (const secret of [jwtSecret, apiKey, ...tokens.values()]) expect(world.output).not.toContain(secret)
  expect(world.output).not.toContain('"level":50')
})

test('without a good hello first there is no session, whatever else is said', async () => {
  const badHello = fc
    .record({
      op: fc.constant('hello'),
      ref: fc.uuid(),
      token: fc.constantFrom('', 'a.b.c', 'null', world.cluster.apiKey),
      device: fc.constantFrom('d', ''),
    })
    .map((frame): Said => ({ as: 'text', data: JSON.stringify(frame) }))
  const first = fc.oneof(said({ ...known, tokens: ['', 'a.b.c'] }), badHello)
  const property = fc.asyncProperty(fc.array(first, { minLength: 1, maxLength: 5 }), async (all) => {
    const line = await world.open(gw1)
    closedWith(await sayAll(line, all), [4000, 4001])
    expect(line.end).toBeDefined()
    expect(line.frames.filter(({ op }) => op !== 'error')).toEqual([])
  })
  await fc.assert(property, { numRuns: 100, endOnFailure: true })
  await othersAreFine()
})

test('what is not UTF-8 or too large ends the line, wherever it stands', async () => {
  const property = fc.asyncProperty(
    fc.array(said(known), { maxLength: 10 }),
    endings,
    fc.array(said(known), { maxLength: 10 }),
    async (before, ending, after) => {
      const line = await lineOf(users[0]!)
      const code = await sayAll(line, [...before, ending, ...after])
      closedWith(code, [1006, 1007, 1009, 4000])
      expect(code).toBeDefined()
    },
  )
  await fc.assert(property, { numRuns: 50, endOnFailure: true })
  await othersAreFine()
})
