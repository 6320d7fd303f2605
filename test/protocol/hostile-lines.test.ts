/**
 * Lines that are held open, starved or blown up: by the thousands, slowly, and with little that becomes much. Each ends by
 * itself, others are served meanwhile, and what it took is given back.
 */
import { deflateRawSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { until, useWorld } from '../support/harness.ts'
import { INSPECTED, MIB, memoryIsBack, memoryOf } from '../support/memory-probe.ts'
import { RawLine } from '../support/raw-line.ts'

const world = await useWorld({ gateways: 1, env: { ...INSPECTED, CONNECT_RATE: '100000' } })
const { gw1 } = world

/** As many as the page asks for, where this process may have so many lines. */
const openFiles = (
  process.report.getReport() as unknown as { userLimits: { open_files: { hard: string | number } } }
).userLimits.open_files.hard
const LINES = Math.min(10_000, openFiles === 'unlimited' ? 10_000 : Number(openFiles) - 1_000)
const AT_ONCE = 250

async function many<Made>(count: number, make: (n: number) => Promise<Made>): Promise<Made[]> {
  const made: Made[] = []
  while (made.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - made.length) }, (_, n) =>
      make(made.length + n),
    )
    made.push(...(await Promise.all(some)))
  }
  return made
}

/** A newcomer gets in and is heard. */
async function newcomersAreServed(): Promise<void> {
  const [alice, bob] = [await world.user('alice').connect(), await world.user('bob').connect()]
  const ack = await alice.send(bob, 'in time')
  await bob.expects('message', { id: ack.id })
  expect(await gw1.status('/readyz')).toBe(200)
  await Promise.all([alice.close(), bob.close()])
}

const connections = async () => {
  const { words } = await gw1.page('/metrics')
  return Number(/^starling_connections (\d+)/m.exec(words)?.[1])
}

afterEach(newcomersAreServed)

test(`${LINES} connections that never say hello are closed with 4002, and their memory comes back`, {
  timeout: 120_000,
}, async () => {
  await newcomersAreServed()
  const before = await memoryOf(gw1)
  const lines = await many(LINES, () => RawLine.webSocket(gw1))
  await newcomersAreServed()
  await Promise.all(lines.map(({ closed }) => closed))
  expect(new Set(lines.map(({ closeCode }) => closeCode))).toEqual(new Set([4002]))
  await until(async () => (await connections()) === 0, 10_000, 'no connection left')
  // The allocator keeps some of it: less than 10 KiB for each of them.
  const after = await memoryIsBack(gw1, before, { used: 4 * MIB, rss: 96 * MIB })
  console.log(`${LINES} lines: rss ${before.rss / MIB} → ${after.rss / MIB} MiB`)
})

test('requests that come slowly, 100 of each kind at once, are cut off', { timeout: 60_000 }, async () => {
  const post = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  const kinds: [what: string, start: string, drip: string][] = [
    ['nothing is said', '', ''],
    ['the headers never end', 'GET / HTTP/1.1\r\nHost: x\r\n', ''],
    ['the headers come byte by byte', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'a'],
    ['the body comes byte by byte', `${post}Content-Length: 60000\r\n\r\n`, ' '],
    ['the body comes chunk by chunk', `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
    ['the upgrade comes byte by byte', 'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: ', 'w'],
  ]
  const all = kinds.flatMap((kind) => Array.from({ length: 100 }, () => kind))
  const lines = await many(all.length, async (n) => {
    const [what, start, drip] = all[n]!
    const line = await RawLine.open(gw1)
    line.socket.write(start)
    return { what, drip, line }
  })
  const dripping = setInterval(() => {
    for (const { drip, line } of lines) if (drip !== '' && line.socket.writable) line.socket.write(drip)
  }, 500)
  await newcomersAreServed()
  await Promise.all(lines.map(({ line }) => line.closed)).finally(() => clearInterval(dripping))
  for (const { what, line } of lines) expect([what, line.words]).toEqual([what, ''])
})

describe('a little that becomes much', () => {
  const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate\r\n'
  /** A message that inflates to so many bytes. */
  const bomb = (bytes: number) => deflateRawSync(Buffer.alloc(bytes, 'x'), { finishFlush: 2 })

  test.each([
    ['just above the limit of a frame', 65 * 1024],
    ['64 MiB', 64 * MIB],
    ['256 MiB', 256 * MIB],
  ])('%s from 50 lines at once: closed, and never held', { timeout: 60_000 }, async (_what, bytes) => {
    const deflated = bomb(bytes).subarray(0, -4) // without the end that the receiver adds
    expect(deflated.length).toBeLessThan(bytes / 500)
    const before = await memoryOf(gw1)
    const lines = await many(50, () => RawLine.webSocket(gw1, DEFLATE))
    for (const line of lines) line.sayCompressed(deflated)
    await Promise.all(lines.map(({ closed }) => closed))
    for (const { closeCode } of lines) expect([1009, undefined]).toContain(closeCode)
    await memoryIsBack(gw1, before, { used: 4 * MIB, rss: 48 * MIB })
  })

  test('within the limit it is a frame like any other', async () => {
    const line = await RawLine.webSocket(gw1, DEFLATE)
    line.sayCompressed(deflateRawSync(Buffer.from('{"op":"ping"}'), { finishFlush: 2 }).subarray(0, -4))
    await line.closed
    expect(line.closeCode).toBe(4000) // no hello
  })
})
