/** Gateways whose feed is cut while something is stored: who missed something is told, and nobody else gets anything. */
import {
  type ConvId,
  dmOf,
  type GroupId,
  groupConv,
  type MessageId,
  type UserId,
} from '@starling/protocol/ids'
import { afterAll, expect, test } from 'vitest'
import { eventTail } from '../../src/services/message-json.ts'
import { useWorld } from '../support/harness.ts'
import { startRedis } from '../support/redis.ts'
import { storeUnheard } from '../support/server-break.ts'
import { dmDraft, draftOf, ok, StoreWorld } from '../support/server-store.ts'

// Of its own: every subscription in it is cut.
const redis = await startRedis()
afterAll(() => redis.stop())
const world = await useWorld({
  redisUrl: redis.url,
  env: { SEND_RATE: '100000', SEND_BURST: '100000' },
})
const store = await StoreWorld.open(redis.url, world.cluster.keyPrefix)
afterAll(() => store.close())
const { gw1, gw2 } = world
const idOf = (user: { id: string }) => user.id as UserId

test('[P4] a group message that nobody heard becomes a resync for its members on every node, and for no one else', async () => {
  const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
  const group = await alice.createGroup({ members: [bob] })
  const other = await alice.createGroup({ members: [carol] })
  const conv = group.conv as ConvId
  const [a, b, c] = [await alice.connect(gw1), await bob.connect(gw2), await carol.connect(gw2)]
  const first = await a.send(group, 'heard')
  await b.expects('message', { conv, id: first.id })

  const [stored] = await storeUnheard(redis.url, store, ({ convs }) => [
    convs.append(draftOf(conv, idOf(alice), { text: 'unheard' }), 'member'),
  ])
  for (const member of [a, b]) await member.expects('resync', { convs: [conv] }, 10_000)
  const { messages, synced } = await b.sync({ convs: { [conv]: first.id } })
  const { id } = ok(stored as { is: 'ok'; id: MessageId })
  expect(messages.map((message) => message.id)).toEqual([id])
  expect(synced.convs).toMatchObject([{ conv, head: id }])

  const after = await a.send(other, 'still there')
  await c.expects('message', { conv: other.conv, id: after.id })
  await c.expectsNothing('resync')
})

test('[P1] [P4] a dm that nobody heard becomes a resync for its user alone', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')]
  const [a, b] = [await alice.connect(gw1), await bob.connect(gw2)]
  const conv = dmOf(alice.id, bob.id)
  const draft = dmDraft(idOf(alice), idOf(bob), { text: 'unheard' })
  const { id } = ok(await store.dms.send(draft, idOf(alice), { guard: 'free', echo: false }))
  const [position] = await storeUnheard(redis.url, store, ({ dms }) => [
    dms.deliver(idOf(bob), conv, id, draft.tail),
  ])
  const resync = await b.expects('resync', {}, 10_000)
  expect(resync.convs).toBeUndefined()
  const { messages } = await b.sync({ inbox: b.welcome.inbox })
  expect(messages).toMatchObject([{ id, conv, inbox: position }])
  // An ack waits until nothing is in doubt on its gateway any more.
  await a.send(bob, 'after all')
  await a.expectsNothing('resync', {}, { after: b })
})

test('[P6] one removed while the feed is cut gets nothing after it, live or otherwise', async () => {
  const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
  const made = await alice.createGroup({ members: [bob, carol] })
  const { conv } = made
  const group = made.id as GroupId
  const [a, b, c] = [await alice.connect(gw1), await bob.connect(gw2), await carol.connect(gw2)]
  const before = await a.send(made, 'for all')
  for (const member of [b, c]) await member.expects('message', { conv, id: before.id })
  b.forget()

  const event = { type: 'event', event: 'member_removed', users: [bob.id], by: alice.id } as const
  const tail = eventTail(groupConv(group), idOf(alice), { ...event, users: [bob.id] })
  // The order to the nodes is lost, and so is what bob's own books would have been told.
  const [removed] = await storeUnheard(redis.url, store, ({ groups }) => [
    groups.remove(group, idOf(alice), idOf(bob), tail),
  ])
  expect(removed).toMatchObject({ is: 'ok' })

  // Sent while the feeds come back: whatever carol gets live, bob doesn't.
  const sent = []
  while (c.unseen('resync').length + b.unseen('message', { conv }).length === 0)
    sent.push(await a.send(made, 'not for bob'))
  sent.push(await a.send(made, 'the last one'))
  await c.expects('message', { conv, id: sent.at(-1)!.id })
  await b.expectsNothing('message', { conv }, { after: c })
  const { messages, synced } = await b.sync({ convs: { [conv]: before.id } })
  expect([messages, synced.convs]).toEqual([[], []])
  const page = await bob.http(gw2).get<{ error: { code: string } }>(`/conversations/${conv}/messages`)
  expect([page.status, page.body.error.code]).toEqual([403, 'not_member'])
}, 30_000)

test('[P4] everything is heard again afterwards, by all', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')]
  const group = await alice.createGroup({ members: [bob] })
  const [a, b] = [await alice.connect(gw1), await bob.connect(gw2)]
  const acks = await Promise.all(Array.from({ length: 20 }, (_, i) => a.send(i % 2 ? group : bob, `${i}`)))
  for (const { id, conv } of acks) await b.expects('message', { conv, id })
})
