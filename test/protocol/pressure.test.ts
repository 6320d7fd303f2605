/** [P7] Under pressure what is only live goes first: one who is behind gets every message, and no typing and presence. */
import { describe, expect, test } from 'vitest'
import { type User, until, useWorld } from '../support/harness.ts'
import type { WireClient } from '../support/wire-client.ts'

/** More than the kernel's buffers take for a peer that doesn't read. */
const HEAP = 1_000
const BIG = 'x'.repeat(15_000)

const world = await useWorld({
  env: { MAX_BUFFER_BYTES: String(64 * 1024 * 1024), SEND_RATE: '100000', SEND_BURST: '100000' },
})
const { gw1, gw2 } = world

/** What waits at the second gateway for peers to read, bytes. */
async function waiting(): Promise<number> {
  const { words: metrics } = await gw2.page('/metrics')
  return Number(/^starling_outgoing_waiting_bytes (\S+)$/m.exec(metrics)?.[1])
}

/** One who has stopped to read, with more waiting for them than the kernel takes. */
async function behind(user: User, sender: WireClient): Promise<{ slow: WireClient; sent: string[] }> {
  const slow = await user.connect(gw2)
  slow.socket.pause()
  const sent: string[] = []
  await until(
    async () => {
      const acks = await Promise.all(Array.from({ length: 100 }, () => sender.send(user, BIG)))
      sent.push(...acks.map(({ id }) => id))
      return (await waiting()) > 0 || sent.length >= HEAP
    },
    20_000,
    'something waits',
  )
  expect(await waiting()).toBeGreaterThan(0)
  return { slow, sent }
}

/** Reads on: everything that was sent comes, in order, and this last one behind it. */
async function catchesUp(slow: WireClient, sender: WireClient, sent: string[]): Promise<void> {
  slow.socket.resume()
  const last = await sender.send(slow, 'the last one')
  await slow.expects('message', { id: last.id }, 20_000)
  expect(slow.seen('message', ({ from }) => from === sender.id).map(({ id }) => id)).toEqual([
    ...sent,
    last.id,
  ])
}

describe('[P7] one who is behind', () => {
  test('gets no typing of a dm, and all messages; typing again when they read', async () => {
    const [alice, carol] = [await world.user('alice').connect(gw1), await world.user('carol').connect(gw1)]
    const bob = world.user('bob')
    const { slow, sent } = await behind(bob, alice)
    const reading = await bob.connect(gw2)
    carol.say({ op: 'typing', to: bob.target })
    await reading.expects('typing', { from: carol.id })
    await catchesUp(slow, alice, sent)
    await slow.expectsNothing('typing')
    alice.say({ op: 'typing', to: bob.target })
    await slow.expects('typing', { from: alice.id })
  })

  test('gets no typing of a group, and all its messages', async () => {
    const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
    const group = await alice.createGroup({ members: [bob, carol] })
    const [a, c] = [await alice.connect(gw1), await carol.connect(gw2)]
    const { slow, sent } = await behind(bob, a)
    a.say({ op: 'typing', to: group.target })
    await c.expects('typing', { conv: group.conv, from: alice.id })
    const message = await a.send(group, 'for all')
    await c.expects('message', { conv: group.conv, id: message.id })
    slow.socket.resume()
    await slow.expects('message', { conv: group.conv, id: message.id }, 20_000)
    expect(slow.seen('message', ({ conv }) => conv.startsWith('dm:')).map(({ id }) => id)).toEqual(sent)
    await slow.expectsNothing('typing')
    c.say({ op: 'typing', to: group.target })
    await slow.expects('typing', { conv: group.conv, from: carol.id })
  })

  test.each([
    ['those they watch', (gone: User) => [gone.id]],
    ['everybody', () => ['*']],
  ])('gets no presence of %s, and all messages', async (_whom, watched) => {
    const alice = await world.user('alice').connect(gw1)
    const [bob, dave] = [world.user('bob'), world.user('dave')]
    const watcher = await world.user('watcher').connect(gw2)
    const { slow, sent } = await behind(bob, alice)
    slow.say({ op: 'watch', ref: 'w', users: watched(dave) })
    await watcher.gets('ok', { op: 'watch', users: watched(dave) })
    const isOn = ({ on }: { on: string[] }) => on.includes(dave.id)
    await dave.connect(gw1)
    await watcher.expects('presence', isOn)
    await catchesUp(slow, alice, sent)
    await slow.expectsNothing('presence', isOn)
  })
})
