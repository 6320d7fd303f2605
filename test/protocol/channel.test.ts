/** Channels: everybody reads, the setting says who writes, nobody is a member. */
import { describe, expect, test } from 'vitest'
import { seqOf, useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

describe('a channel', () => {
  test('reaches every session on every gateway without anybody joining', async () => {
    const alice = await world.user('alice').connect(gw1)
    const others = [await world.user('bob').connect(gw1), await world.user('carol').connect(gw2)]
    const ack = await alice.send('channel:lobby', 'hello world', { ref: 'r' })
    expect(ack.conv).toBe('channel:lobby')
    for (const other of others) {
      expect(await other.expects('message', { conv: 'channel:lobby', id: ack.id })).toEqual({
        op: 'message',
        conv: 'channel:lobby',
        id: ack.id,
        from: alice.id,
        ref: 'r',
        body: text('hello world'),
      })
    }
    expect(ack).not.toHaveProperty('inbox')
  })

  test('[P3] is seen by all in the order of ids, dense, however many write on both gateways', async () => {
    const sessions = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name, n) => world.user(name).connect(n % 2 === 0 ? gw1 : gw2)),
    )
    const acks = await Promise.all(
      sessions.flatMap((session) =>
        Array.from({ length: 20 }, (_, n) => session.send('channel:lobby', `${n}`)),
      ),
    )
    const ids = acks.map((ack) => ack.id).toSorted((a, b) => seqOf(a) - seqOf(b))
    const end = await (await world.user('last').connect(gw2)).send('channel:lobby', 'that was all')
    for (const session of sessions) {
      await session.expects('message', { id: end.id })
      const seen = session.seen('message', { conv: 'channel:lobby' }).map((message) => seqOf(message.id))
      expect(seen).toEqual(seen.toSorted((a, b) => a - b))
      // Whether a session gets what it sent itself is left open: its acks stand for that.
      const others = ids.filter((id) => !session.seen('ack').some((ack) => ack.id === id))
      expect(seen).toEqual(expect.arrayContaining(others.map(seqOf)))
    }
    const listener = world.user('listener').http()
    const path = `/conversations/channel:lobby/messages?before=${end.id}&limit=80`
    const history = await listener.get<{ messages: { id: string }[] }>(path)
    expect(history.body.messages.map((message) => message.id)).toEqual(ids)
    expect(ids.map(seqOf)).toEqual(ids.map((_, n) => seqOf(ids[0]!) + n))
  })

  test('that only the server may write refuses users with forbidden, and brings what the server pushes', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    expect((await alice.sendRefused('channel:announcements', 'me too')).code).toBe('forbidden')
    const push = await world.server.post<{ results: { conv: string; id: string }[] }>('/push', {
      to: ['channel:announcements'],
      body: text('maintenance at noon'),
      ref: 'notice-1',
    })
    const [result] = push.body.results
    for (const session of [alice, bob]) {
      const message = await session.expects('message', { conv: 'channel:announcements' })
      expect(message).toMatchObject({ id: result!.id, from: 'system', body: text('maintenance at noon') })
    }
  })

  test('that nobody has set up is not_found', async () => {
    const alice = await world.user('alice').connect()
    expect((await alice.sendRefused('channel:nowhere', 'hello?')).code).toBe('not_found')
    const history = await world.user('bob').http().get('/conversations/channel:nowhere/messages')
    expect(history).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } })
  })

  test('passes no typing on', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    alice.say({ op: 'typing', to: 'channel:lobby' })
    await alice.ping()
    await bob.expectsNothing('typing', {}, { after: alice })
  })

  test('counts unread from first sight on: one who is new has read to the head', async () => {
    const alice = await world.user('alice').connect(gw1)
    await alice.send('channel:lobby', 'before anybody came')
    const bob = world.user('bob')
    const first = await bob.connect(gw2)
    const { messages, synced } = await first.sync()
    expect(messages.filter((message) => message.conv === 'channel:lobby')).toEqual([])
    const entry = synced.convs.find(({ conv }) => conv === 'channel:lobby')
    expect(entry).toMatchObject({ unread: 0 })
    const next = await alice.send('channel:lobby', 'news')
    const later = await first.sync()
    const after = later.synced.convs.find(({ conv }) => conv === 'channel:lobby')
    expect(after).toMatchObject({ head: next.id, unread: 1 })
  })

  test('gives what came after a position by sync, on whichever gateway', async () => {
    const alice = await world.user('alice').connect(gw1)
    const first = await alice.send('channel:lobby', 'one')
    const second = await alice.send('channel:lobby', 'two')
    const bob = await world.user('bob').connect(gw2)
    const { messages, synced } = await bob.sync({ convs: { 'channel:lobby': first.id } })
    expect(messages.map((message) => message.id)).toEqual([second.id])
    expect(messages[0]).not.toHaveProperty('inbox')
    expect(synced.convs).toMatchObject([{ conv: 'channel:lobby', head: second.id }])
  })

  test('[P2] stores a ref once per sender, and takes the same ref of another sender', async () => {
    const alice = world.user('alice')
    const [one, other] = [await alice.connect(gw1), await alice.connect(gw2)]
    const bob = await world.user('bob').connect(gw2)
    const first = await one.send('channel:lobby', 'once', { ref: 'same' })
    expect(await other.send('channel:lobby', 'once', { ref: 'same' })).toMatchObject({
      id: first.id,
      dup: true,
    })
    const third = await bob.send('channel:lobby', 'mine', { ref: 'same' })
    expect(third.id).not.toBe(first.id)
  })
})
