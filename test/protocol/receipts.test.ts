/** How far somebody has read and received: receipts for the other side, unread for oneself. */
import { describe, expect, test } from 'vitest'
import { dmOf, type Group, msOf, useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import type { WireClient } from '../support/wire-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

/** Alice has sent Bob `count` messages, who has seen them; gives their ids. */
async function letters(count: number) {
  const [alice, bob] = [world.user('alice'), world.user('bob')]
  const [a, b] = [await alice.connect(gw1), await bob.connect(gw2)]
  const conv = dmOf(alice, bob)
  const ids: string[] = []
  const places: string[] = []
  for (let n = 1; n <= count; n++) {
    ids.push((await a.send(bob, `${n}`)).id)
    places.push((await b.expects('message')).inbox!)
  }
  return { alice, bob, a, b, conv, ids, places }
}

async function unreadOf(session: WireClient, conv: string) {
  const { synced } = await session.sync()
  return synced.convs.find((entry) => entry.conv === conv)
}

describe('read', () => {
  test('is answered with where one has read to and how many are left', async () => {
    const { b, conv, ids } = await letters(3)
    expect(await unreadOf(b, conv)).toMatchObject({ unread: 3, head: ids[2] })
    expect(await b.gets('ok', { op: 'read', conv, id: ids[1] })).toMatchObject({ read: ids[1], unread: 1 })
    expect(await b.gets('ok', { op: 'read', conv, id: ids[2] })).toMatchObject({ read: ids[2], unread: 0 })
    expect(await unreadOf(b, conv)).toMatchObject({ unread: 0, read: ids[2] })
  })

  test('moves forward only', async () => {
    const { b, conv, ids } = await letters(3)
    await b.gets('ok', { op: 'read', conv, id: ids[1] })
    expect(await b.gets('ok', { op: 'read', conv, id: ids[0] })).toMatchObject({ read: ids[1], unread: 1 })
    expect(await b.gets('ok', { op: 'read', conv, id: '0-0' })).toMatchObject({ read: ids[1], unread: 1 })
  })

  test('is clamped to the head', async () => {
    const { a, bob, b, conv, ids } = await letters(2)
    const far = `${msOf(ids[1]!) + 3_600_000}-9000`
    expect(await b.gets('ok', { op: 'read', conv, id: far })).toMatchObject({ read: ids[1], unread: 0 })
    await a.send(bob, 'one more')
    expect(await unreadOf(b, conv)).toMatchObject({ unread: 1 })
  })

  test('gives the other user a receipt, on every session, and the reader none', async () => {
    const { alice, bob, a, b, conv, ids } = await letters(2)
    const phone = await alice.connect(gw2)
    await b.gets('ok', { op: 'read', conv, id: ids[1] })
    for (const session of [a, phone]) {
      const receipt = await session.expects('receipt', ({ read }) => read !== undefined)
      expect(receipt).toMatchObject({ conv, user: bob.id, read: ids[1] })
    }
    await b.expectsNothing('receipt', {}, { after: a })
  })

  test('tells the other devices of the reader, and not the one that read', async () => {
    const { bob, b, a, conv, ids } = await letters(3)
    const laptop = await bob.connect(gw1, { device: 'laptop' })
    await b.gets('ok', { op: 'read', conv, id: ids[1] })
    expect(await laptop.expects('unread')).toEqual({ op: 'unread', conv, read: ids[1], unread: 1 })
    await a.expectsNothing('unread', {}, { after: b })
  })

  test('is merged: of many in a row the other user learns the last within a second', async () => {
    const { a, b, conv, ids } = await letters(6)
    for (const id of ids) b.say({ op: 'read', conv, id })
    await a.expects('receipt', ({ read }) => read === ids[5], 2_000)
    expect(a.seen('receipt', ({ read }) => read !== undefined).length).toBeLessThan(6)
  })

  test('is what a send moves too: to the id that was sent', async () => {
    const { alice, a, b, conv } = await letters(2)
    const answer = await b.send(alice, 'got it')
    expect(await unreadOf(b, conv)).toMatchObject({ unread: 0, read: answer.id })
    expect(await unreadOf(a, conv)).toMatchObject({ unread: 1 })
  })

  test('stands in the list of the other as peerRead', async () => {
    const { alice, a, b, conv, ids } = await letters(3)
    await b.gets('ok', { op: 'read', conv, id: ids[1] })
    await a.expects('receipt', ({ read }) => read === ids[1])
    expect(await unreadOf(a, conv)).toMatchObject({ peerRead: ids[1] })
    const entry = await alice.http(gw2).get(`/conversations/${conv}`)
    expect(entry.body).toMatchObject({ conv, peerRead: ids[1] })
  })

  test("of another's dm is refused and moves nothing", async () => {
    const { b, conv, ids } = await letters(1)
    const mallory = await world.user('mallory').connect(gw1)
    expect((await mallory.refused({ op: 'read', conv, id: ids[0] })).code).toMatch(/^(not_found|forbidden)$/)
    expect(await unreadOf(b, conv)).toMatchObject({ unread: 1 })
  })

  test.each([
    ['conv', { conv: 'user:alice', id: '1-1' }],
    ['conv', { conv: 'dm:b:a', id: '1-1' }],
    ['conv', { id: '1-1' }],
    ['id', { conv: 'dm:a:b', id: '1' }],
    ['id', { conv: 'dm:a:b' }],
  ])('with a wrong %s (%j) is a bad_request', async (field, wrong) => {
    const alice = await world.user('alice').connect()
    expect(await alice.refused({ op: 'read', ...wrong })).toMatchObject({ code: 'bad_request', field })
  })
})

describe('received', () => {
  test('gives the other user a receipt with the message id', async () => {
    const { bob, a, b, conv, ids, places } = await letters(2)
    b.say({ op: 'received', inbox: places[1] })
    const receipt = await a.expects('receipt', ({ received }) => received === ids[1])
    expect(receipt).toMatchObject({ conv, user: bob.id })
    expect(await unreadOf(a, conv)).toMatchObject({ peerReceived: ids[1] })
    expect(await unreadOf(b, conv)).toMatchObject({ unread: 2 })
  })

  test('gives every sender of what lies before it a receipt', async () => {
    const bob = world.user('bob')
    const b = await bob.connect(gw2)
    const senders = [await world.user('alice').connect(gw1), await world.user('carol').connect(gw2)]
    const sent = []
    for (const sender of senders) sent.push(await sender.send(bob, 'hi'))
    await b.expects('message')
    const { inbox } = await b.expects('message')
    b.say({ op: 'received', inbox })
    for (const [n, sender] of senders.entries()) {
      const { conv, id } = sent[n]!
      expect(await sender.expects('receipt', { conv })).toMatchObject({ user: bob.id, received: id })
    }
  })
})

describe('groups', () => {
  async function inGroup(): Promise<{ group: Group; a: WireClient; b: WireClient; ids: string[] }> {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup({ members: [bob] })
    const [a, b] = [await alice.connect(gw1), await bob.connect(gw2)]
    const ids: string[] = []
    for (let n = 1; n <= 3; n++) ids.push((await a.send(group, `${n}`)).id)
    await b.expects('message', { id: ids[2]! })
    return { group, a, b, ids }
  }

  test('count unread from the head and the position', async () => {
    const { group, a, b, ids } = await inGroup()
    expect(await b.gets('ok', { op: 'read', conv: group.conv, id: ids[0] })).toMatchObject({
      read: ids[0],
      unread: 2,
    })
    expect(await unreadOf(b, group.conv)).toMatchObject({ read: ids[0], unread: 2, head: ids[2] })
    expect(await unreadOf(a, group.conv)).toMatchObject({ unread: 0, read: ids[2] })
  })

  test('have no receipts, but tell the other devices of the reader', async () => {
    const { group, a, b, ids } = await inGroup()
    const laptop = await world.userCalled(b.id).connect(gw1)
    await b.gets('ok', { op: 'read', conv: group.conv, id: ids[2] })
    expect(await laptop.expects('unread')).toMatchObject({ conv: group.conv, read: ids[2], unread: 0 })
    await a.expectsNothing('receipt', {}, { after: b })
  })

  test('count nothing for one who is not in', async () => {
    const { group, ids } = await inGroup()
    const mallory = await world.user('mallory').connect()
    expect((await mallory.refused({ op: 'read', conv: group.conv, id: ids[2] })).code).toBe('not_member')
    expect((await mallory.refused({ op: 'read', conv: 'group:nope', id: ids[2] })).code).toBe('not_found')
  })
})

test('a dm with oneself has no receipts and nothing unread', async () => {
  const alice = world.user('alice')
  const [laptop, phone] = [await alice.connect(gw1), await alice.connect(gw2)]
  const { conv } = await laptop.send(alice, 'note')
  const { inbox } = await phone.expects('message', { body: text('note') })
  phone.say({ op: 'received', inbox })
  await phone.ping()
  expect(await unreadOf(phone, conv)).toMatchObject({ unread: 0 })
  await laptop.ping()
  expect([...laptop.seen('receipt'), ...phone.seen('receipt')]).toEqual([])
})
