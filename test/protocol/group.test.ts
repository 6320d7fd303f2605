/** Groups on the wire: who gets what, the server's events, and membership as a border. */
import { describe, expect, test } from 'vitest'
import { seqOf, type User, useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

/** Three members with sessions on both gateways, what came of the group's making already behind them. */
async function threeMembers(fields: Record<string, unknown> = {}) {
  const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
  const group = await alice.createGroup({ members: [bob, carol], ...fields })
  const a = await alice.connect(gw1)
  const b = await bob.connect(gw2)
  const c = await carol.connect(gw1)
  return { alice, bob, carol, group, a, b, c }
}

/** Two who are in, and one who is not and has a session. */
async function withOutsider() {
  const members = await threeMembers()
  const dave = world.user('dave')
  return { ...members, dave, d: await dave.connect(gw2) }
}

interface Added {
  added: unknown
  id: string
}

describe('a message to a group', () => {
  test('reaches every member on every gateway, and carries no inbox', async () => {
    const { alice, group, a, b, c } = await threeMembers()
    const ack = await a.send(group, 'hello all', { ref: 'r' })
    expect(ack.conv).toBe(group.conv)
    const expected = {
      op: 'message',
      conv: group.conv,
      id: ack.id,
      from: alice.id,
      ref: 'r',
      body: text('hello all'),
    }
    expect(await b.expects('message', { conv: group.conv, id: ack.id })).toEqual(expected)
    expect(await c.expects('message', { conv: group.conv, id: ack.id })).toEqual(expected)
    expect(ack).not.toHaveProperty('inbox')
  })

  test("reaches the sender's other sessions", async () => {
    const { alice, group, a } = await threeMembers()
    const phone = await alice.connect(gw2)
    const ack = await a.send(group, 'hello all')
    await phone.expects('message', { conv: group.conv, id: ack.id })
  })

  test('reaches nobody outside', async () => {
    const { a, b, d, group } = await withOutsider()
    const ack = await a.send(group, 'among us')
    await b.expects('message', { id: ack.id })
    await d.expectsNothing('message', { conv: group.conv }, { after: a })
  })

  test('has a dense id; events take their place among them', async () => {
    const { group, a, b, alice } = await threeMembers()
    const first = await a.send(group, 'one')
    const second = await b.send(group, 'two')
    const { body } = await alice
      .http()
      .post<Added>(`/groups/${group.id}/members`, { users: [world.user('erin').id] })
    const third = await a.send(group, 'three')
    const start = seqOf(first.id)
    expect([second.id, body.id, third.id].map(seqOf)).toEqual([start + 1, start + 2, start + 3])
  })

  test('from one who is no member is refused with not_member, and not stored', async () => {
    const { alice, group, d } = await withOutsider()
    expect((await d.sendRefused(group, 'let me in')).code).toBe('not_member')
    const history = await alice.http().get(`/conversations/${group.conv}/messages`)
    expect(JSON.stringify(history.body)).not.toContain('let me in')
  })

  test('to a group that does not exist is refused with not_found', async () => {
    const alice = await world.user('alice').connect()
    expect((await alice.sendRefused('group:no-such-group', 'hello?')).code).toBe('not_found')
  })

  test('can be a reply with mentions', async () => {
    const { group, a, b, carol } = await threeMembers()
    const first = await a.send(group, 'who?')
    await b.send(group, 'carol', { reply: first.id, mentions: [carol.id] })
    const message = await a.expects('message', { from: b.id })
    expect(message).toMatchObject({ reply: first.id, mentions: [carol.id] })
  })
})

describe('joining', () => {
  test('[P6] one who is added is told through the inbox, wherever their sessions are', async () => {
    const { alice, group, dave, d } = await withOutsider()
    const { status, body } = await alice
      .http()
      .post<Added>(`/groups/${group.id}/members`, { users: [dave.id] })
    expect(status).toBe(200)
    const told = await d.expects('message', { conv: group.conv })
    expect(told).toMatchObject({
      id: body.id,
      from: alice.id,
      body: { type: 'event', event: 'member_joined', users: [dave.id], by: alice.id },
      inbox: expect.stringMatching(/^\d+-1$/),
    })
    expect(told).not.toHaveProperty('ref')
  })

  test('one who is added while away learns of it by sync, with the same conv and id', async () => {
    const { alice, group } = await threeMembers()
    const erin = world.user('erin')
    const { body } = await alice.http().post<Added>(`/groups/${group.id}/members`, { users: [erin.id] })
    const { messages } = await (await erin.connect(gw2)).sync({ inbox: '0-0' })
    const event = { type: 'event', event: 'member_joined', users: [erin.id], by: alice.id }
    expect(messages).toMatchObject([{ conv: group.conv, id: body.id, from: alice.id, body: event }])
    expect(seqOf(messages[0]!.inbox!)).toBe(1)
  })

  test('the members named at the making of a group learn of it through the inbox', async () => {
    const { alice, bob, group, b } = await threeMembers()
    const { messages } = await b.sync({ inbox: '0-0' })
    const told = messages.find((message) => message.conv === group.conv)
    expect(told).toMatchObject({
      from: alice.id,
      body: { type: 'event', event: 'member_joined', by: alice.id },
    })
    const { body } = told!
    expect(body.type === 'event' && body.event === 'member_joined' && body.users).toContain(bob.id)
  })

  test('one call is one event, however many it adds, and the members there see it', async () => {
    const { alice, group, a, b, c } = await threeMembers()
    const users = [world.user('dave').id, world.user('erin').id, world.user('frank').id]
    const { body } = await alice.http(gw2).post<Added>(`/groups/${group.id}/members`, { users })
    for (const session of [a, b, c]) {
      const message = await session.expects('message', { conv: group.conv, id: body.id })
      expect(message.body).toMatchObject({ type: 'event', event: 'member_joined', by: alice.id })
      const told = message.body as unknown as { users: string[] }
      expect(told.users.toSorted()).toEqual(users.toSorted())
    }
    const next = await a.send(group, 'welcome')
    expect(seqOf(next.id)).toBe(seqOf(body.id) + 1)
  })

  test('whoever is in writes and reads from then on', async () => {
    const { alice, group, a, dave, d } = await withOutsider()
    await alice.http().post(`/groups/${group.id}/members`, { users: [dave.id] })
    await d.expects('message', { conv: group.conv })
    const hello = await d.send(group, 'thanks')
    await a.expects('message', { id: hello.id, from: dave.id })
    const answer = await a.send(group, 'welcome')
    await d.expects('message', { id: answer.id })
  })

  test('by oneself works in an open group alone', async () => {
    const alice = world.user('alice')
    const dave = world.user('dave')
    const open = await alice.createGroup({ join: 'open' })
    const closed = await alice.createGroup({ join: 'invite' })
    const d = await dave.connect(gw2)
    const joined = await dave.http().post<Added>(`/groups/${open.id}/members`, { users: [dave.id] })
    expect(joined.status).toBe(200)
    const told = await d.expects('message', { conv: open.conv, id: joined.body.id })
    expect(told.body).toMatchObject({ event: 'member_joined', users: [dave.id], by: dave.id })
    const refused = await dave.http().post(`/groups/${closed.id}/members`, { users: [dave.id] })
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } })
    expect((await d.sendRefused(closed, 'hi')).code).toBe('not_member')
  })
})

/** Removes or leaves; gives X. */
async function leaves(by: User, group: { id: string }, user: User): Promise<string> {
  const { status, body } = await by.http(gw2).delete<{ id: string }>(`/groups/${group.id}/members/${user.id}`)
  expect(status).toBe(200)
  return body.id
}

describe('leaving', () => {
  test('[P6] one who is removed gets the event and nothing after it, live', async () => {
    const { alice, bob, group, a, b, c } = await threeMembers()
    await a.send(group, 'before')
    await b.expects('message', { body: text('before') })
    const x = await leaves(alice, group, bob)
    const event = { type: 'event', event: 'member_removed', users: [bob.id], by: alice.id }
    const told = await b.expects('message', { conv: group.conv, id: x })
    expect(told).toMatchObject({ from: alice.id, body: event, inbox: expect.any(String) })
    expect((await c.expects('message', { id: x })).body).toEqual(event)
    await a.send(group, 'after')
    await c.expects('message', { body: text('after') })
    await b.expectsNothing('message', { conv: group.conv }, { after: a })
  })

  test('[P6] one who is removed sees no id above X, however many messages fly meanwhile', async () => {
    const { alice, bob, group, a, b, c } = await threeMembers()
    const flying = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? a : c).send(group, `${n}`))
    const x = await leaves(alice, group, bob)
    await Promise.all(flying)
    await a.send(group, 'after')
    await b.expectsNothing('message', { body: text('after') }, { after: a })
    await b.expectsNothing('message', { body: text('after') }, { after: c })
    const seen = b.seen('message', { conv: group.conv }).map((message) => seqOf(message.id))
    expect(Math.max(...seen)).toBe(seqOf(x))
    expect(seen).toEqual(seen.toSorted((m, n) => m - n))
  })

  test('[P6] one who is removed gets nothing by sync, nor by HTTP, not even what was before', async () => {
    const { alice, bob, group, a, b } = await threeMembers({ history: 'all' })
    const before = await a.send(group, 'before')
    await leaves(alice, group, bob)
    await a.send(group, 'after')
    const { messages, synced } = await b.sync({ convs: { [group.conv]: before.id } })
    expect(messages).toEqual([])
    expect(synced.convs).toEqual([])
    const everything = await b.sync({ inbox: '0-0', convs: { [group.conv]: '0-0' } })
    expect(JSON.stringify(everything)).not.toContain('after')
    expect(everything.synced.convs.map((entry) => entry.conv)).not.toContain(group.conv)
    const http = bob.http()
    for (const path of ['/messages', `/messages?before=${before.id}`, '']) {
      const answer = await http.get(`/conversations/${group.conv}${path}`)
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'not_member' } } })
    }
    const list = await http.get<{ conversations: { conv: string }[] }>('/conversations')
    expect(list.body.conversations.map((entry) => entry.conv)).not.toContain(group.conv)
  })

  test('[P6] one who is removed can no longer write, mark as read, or be seen typing', async () => {
    const { alice, bob, group, a, b } = await threeMembers()
    const x = await leaves(alice, group, bob)
    await b.expects('message', { id: x })
    expect((await b.sendRefused(group, 'but why?')).code).toBe('not_member')
    expect((await b.refused({ op: 'read', conv: group.conv, id: x })).code).toBe('not_member')
    b.say({ op: 'typing', to: group.target })
    await b.ping()
    await a.expectsNothing('typing', {}, { after: b })
  })

  test('[P2] what a removed member had sent before is still answered with its first id', async () => {
    const { alice, bob, group, b } = await threeMembers()
    const first = await b.send(group, 'mine', { ref: 'keep' })
    await leaves(alice, group, bob)
    expect(await b.send(group, 'mine', { ref: 'keep', retry: true })).toMatchObject({
      id: first.id,
      dup: true,
    })
  })

  test('[P6] one who is removed while away learns of it by sync, up to X and no further', async () => {
    const { alice, bob, group, a, b } = await threeMembers()
    const { inbox } = await b.ping()
    await b.close()
    const x = await leaves(alice, group, bob)
    await a.send(group, 'after')
    const { messages } = await (await bob.connect(gw1)).sync({ inbox })
    expect(messages.map((message) => message.id)).toEqual([x])
    expect(messages[0]!.body).toMatchObject({ event: 'member_removed', users: [bob.id] })
  })

  test('by oneself is an event of its own, and the border as well', async () => {
    const { bob, group, a, b, c } = await threeMembers()
    const x = await leaves(bob, group, bob)
    const message = await c.expects('message', { id: x })
    expect(message).toMatchObject({
      from: bob.id,
      body: { type: 'event', event: 'member_left', users: [bob.id] },
    })
    await a.send(group, 'after')
    await c.expects('message', { body: text('after') })
    await b.expectsNothing('message', { conv: group.conv, body: text('after') }, { after: a })
    expect((await b.sendRefused(group, 'bye')).code).toBe('not_member')
  })

  test('and coming back starts a new stay', async () => {
    const { alice, bob, group, a, b } = await threeMembers()
    const x = await leaves(alice, group, bob)
    const missed = await a.send(group, 'missed')
    await alice.http().post(`/groups/${group.id}/members`, { users: [bob.id] })
    await b.expects('message', ({ body }) => body.type === 'event' && body.event === 'member_joined')
    const again = await a.send(group, 'again')
    await b.expects('message', { id: again.id })
    expect(b.seen('message', { id: missed.id })).toEqual([])
    expect(seqOf(missed.id)).toBe(seqOf(x) + 1)
  })

  test('of others is not for plain members', async () => {
    const { alice, bob, carol, group, a } = await threeMembers()
    for (const victim of [carol, alice]) {
      const answer = await bob.http().delete(`/groups/${group.id}/members/${victim.id}`)
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } })
    }
    await a.send(group, 'still here')
  })
})

describe('the past of a group', () => {
  test('is open to a new member where history is all, and starts at joining where it is joined', async () => {
    const alice = world.user('alice')
    for (const [history, expected] of [
      ['all', ['old']],
      ['joined', []],
    ] as const) {
      const dave = world.user('dave')
      const group = await alice.createGroup({ history })
      const a = await alice.connect(gw1)
      await a.send(group, 'old')
      await alice.http().post(`/groups/${group.id}/members`, { users: [dave.id] })
      await a.send(group, 'new')
      const answer = await dave
        .http(gw2)
        .get<{ messages: { body: { type: string; text?: string } }[] }>(
          `/conversations/${group.conv}/messages`,
        )
      const words = answer.body.messages.flatMap((message) => message.body.text ?? [])
      expect(words).toEqual([...expected, 'new'])
    }
  })

  test("before one's joining gives a gap in sync, and what may be seen", async () => {
    const alice = world.user('alice')
    const dave = world.user('dave')
    const group = await alice.createGroup({ history: 'joined' })
    const a = await alice.connect(gw1)
    await a.send(group, 'old')
    await alice.http().post(`/groups/${group.id}/members`, { users: [dave.id] })
    await a.send(group, 'new')
    const { messages, synced } = await (await dave.connect(gw2)).sync({ convs: { [group.conv]: '0-0' } })
    const words = messages.flatMap((message) => (message.body.type === 'text' ? [message.body.text] : []))
    expect(words).toEqual(['new'])
    expect(synced.convs).toMatchObject([{ conv: group.conv, gap: true }])
  })
})
