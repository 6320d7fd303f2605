/** One-to-one conversations: who gets what, with which ids and positions, and what is kept from whom. */
import { describe, expect, test } from 'vitest'
import { dmOf, msOf, seqOf, useWorld, worldFor } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

describe('a dm', () => {
  test('[P1] is acked with its id and reaches the other user on another gateway, with its inbox position', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const before = Date.now()
    const ack = await alice.send(bob, 'hello bob', { ref: 'my ref 1' })
    expect(ack).toMatchObject({ op: 'ack', ref: 'my ref 1', conv: dmOf(alice, bob) })
    expect(ack.id).toMatch(/^[1-9]\d*-1$/)
    expect(ack).not.toHaveProperty('dup', true)
    expect(Math.abs(msOf(ack.id) - before)).toBeLessThan(5_000)
    const message = await bob.expects('message')
    expect(message).toEqual({
      op: 'message',
      conv: ack.conv,
      id: ack.id,
      from: alice.id,
      ref: 'my ref 1',
      body: { type: 'text', text: 'hello bob' },
      inbox: expect.stringMatching(/^[1-9]\d*-1$/),
    })
  })

  test('reaches the other user on the same gateway, and on every device', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const sessions = [await bob.connect(gw1), await bob.connect(gw1), await bob.connect(gw2)]
    const { id } = await alice.send(bob, 'to all of you')
    const got = await Promise.all(sessions.map((session) => session.expects('message', { id })))
    expect(new Set(got.map((message) => message.inbox)).size).toBe(1)
  })

  test('reaches nobody else', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const carol = await world.user('carol').connect(gw2)
    await alice.send(bob, 'for bob alone')
    await bob.expects('message')
    await carol.expectsNothing('message', {}, { after: alice })
  })

  test('has dense ids that never go back in time, whoever sends, on whichever gateway', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const ids: string[] = []
    for (let n = 0; n < 6; n++) {
      const [from, to] = n % 2 === 0 ? [alice, bob] : [bob, alice]
      ids.push((await from.send(to, `message ${n}`)).id)
    }
    expect(ids.map(seqOf)).toEqual([1, 2, 3, 4, 5, 6])
    expect(ids.map(msOf)).toEqual(ids.map(msOf).toSorted((a, b) => a - b))
  })

  test('takes dense places in the inbox of the one who gets it, over all conversations', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const carol = await world.user('carol').connect(gw1)
    for (const from of [alice, bob, alice, bob]) await from.send(carol, 'hi')
    const places = []
    for (let n = 0; n < 4; n++) places.push(seqOf((await carol.expects('message')).inbox!))
    expect(places).toEqual([1, 2, 3, 4])
  })

  test("reaches the sender's other sessions, at the place in the sender's inbox that the ack names", async () => {
    const alice = world.user('alice')
    const laptop = await alice.connect(gw1)
    const phone = await alice.connect(gw2)
    const bob = await world.user('bob').connect(gw2)
    const ack = await laptop.send(bob, 'from the laptop', { ref: 'r1' })
    const copy = await phone.expects('message', { conv: ack.conv })
    expect(copy).toMatchObject({ id: ack.id, from: alice.id, ref: 'r1', body: text('from the laptop') })
    expect(copy.inbox).toBe(ack.inbox)
    expect(seqOf(ack.inbox!)).toBe(1)
  })

  test("[P1] waits in the sender's inbox for a known device of theirs that is away", async () => {
    const alice = world.user('alice')
    const phone = await alice.connect(gw2, { device: 'phone' })
    await phone.close()
    const laptop = await alice.connect(gw1, { device: 'laptop' })
    const ack = await laptop.send(world.user('bob'), 'while the phone is off')
    const back = await alice.connect(gw1, { device: 'phone' })
    const { messages } = await back.sync({ inbox: '0-0' })
    expect(messages).toMatchObject([{ id: ack.id, from: alice.id, inbox: ack.inbox }])
  })

  test('with oneself is one entry in one inbox', async () => {
    const alice = world.user('alice')
    const laptop = await alice.connect(gw1)
    const phone = await alice.connect(gw2)
    const ack = await laptop.send(alice, 'note to self')
    expect(ack.conv).toBe(`dm:${alice.id}:${alice.id}`)
    const note = await phone.expects('message', { id: ack.id })
    expect(seqOf(note.inbox!)).toBe(1)
    const { messages, synced } = await phone.sync({ inbox: '0-0' })
    expect(messages.map((message) => message.id)).toEqual([ack.id])
    expect(seqOf(synced.inbox)).toBe(1)
  })

  test('to one who has never been here is stored, and found at the first visit', async () => {
    const alice = await world.user('alice').connect(gw1)
    const nobody = world.user('nobody.yet')
    const ack = await alice.send(nobody, 'welcome')
    const { messages } = await (await nobody.connect(gw2)).sync({ inbox: '0-0' })
    expect(messages).toMatchObject([{ id: ack.id, from: alice.id, body: text('welcome') }])
  })

  test('is named by the two ids in byte order: upper case before lower case', async () => {
    const [upper, lower] = [world.user('Zoe'), world.user('anna')]
    const ack = await (await lower.connect()).send(upper, 'hi')
    expect(ack.conv).toBe(`dm:${upper.id}:${lower.id}`)
  })

  test('of users whose ids differ in case only is a conversation of two', async () => {
    const lower = world.user('alice')
    const upper = world.userCalled(lower.id.toUpperCase())
    const [one, other] = [await lower.connect(gw1), await upper.connect(gw2)]
    await one.send(other, 'hi, namesake')
    expect((await other.expects('message')).from).toBe(lower.id)
    await one.expectsNothing('message', { from: upper.id })
  })

  test('to system is refused', async () => {
    const alice = await world.user('alice').connect()
    expect((await alice.sendRefused('user:system', 'hello?')).op).toBe('error')
  })
})

describe('what a message carries', () => {
  test.each([
    [
      'text with fields of its own',
      { type: 'text', text: 'hi', html: '<b>hi</b>', tags: [1, null, { a: [] }] },
    ],
    [
      'an image',
      { type: 'image', url: 'https://a.example/b.png', name: 'b.png', size: 0, mime: 'image/png', w: 3 },
    ],
    ['a file', { type: 'file', url: 'https://a.example/c', name: 'c', size: 12_345, mime: 'text/plain' }],
    [
      'something custom',
      { type: 'custom', kind: 'poll', options: ['a', 'b'], nested: { deep: { er: true } } },
    ],
    ['nothing but its type', { type: 'custom' }],
    ['all of Unicode', { type: 'text', text: 'żółć 你好 👩‍👩‍👧 \u0000 \u2028 \ufeff " \\ </script>' }],
    [
      'numbers of every kind',
      { type: 'custom', n: [0.1, 1e21, 5e-324, -1, 9007199254740991, 1.7976931348623157e308] },
    ],
  ])('is passed on as it is: %s', async (_what, body) => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const ack = await alice.send(bob, body)
    expect((await bob.expects('message')).body).toEqual(body)
    const history = await world.userCalled(bob.id).http(gw2).get(`/conversations/${ack.conv}/messages`)
    expect(history.body).toMatchObject({ messages: [{ id: ack.id, body }] })
  })

  test('reply and mentions are passed on, live and in history', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const first = await alice.send(bob, 'what do you think?')
    const extra = { reply: first.id, mentions: [alice.id, 'somebody-else'] }
    const ack = await bob.send(alice, 'fine', extra)
    expect(await alice.expects('message', { id: ack.id })).toMatchObject(extra)
    const history = await world.userCalled(alice.id).http().get(`/conversations/${ack.conv}/messages?limit=1`)
    expect(history.body).toMatchObject({ messages: [{ id: ack.id, ...extra }] })
  })

  test('unknown fields of the frame are ignored and not passed on', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const frame = alice.sendFrame(bob, 'plain', { ref: 'r' })
    await alice.gets('ack', {
      ...frame,
      from: 'mallory',
      id: '1-1',
      inbox: '9-9',
      colour: 'red',
      retry: false,
    })
    const message = await bob.expects('message')
    expect(Object.keys(message).toSorted()).toEqual(['body', 'conv', 'from', 'id', 'inbox', 'op', 'ref'])
    expect(message.from).toBe(alice.id)
  })

  test('50 mentions are allowed, 51 are not', async () => {
    const alice = await world.user('alice').connect()
    const bob = world.user('bob')
    const mentions = Array.from({ length: 51 }, (_, n) => `user-${n}`)
    await alice.send(bob, 'hi all', { mentions: mentions.slice(1) })
    const error = await alice.sendRefused(bob, 'hi all', { mentions })
    expect(error).toMatchObject({ code: 'bad_request', field: expect.stringContaining('mentions') })
  })
})

describe('a block', () => {
  test('refuses whoever is blocked, and nobody else, until it is lifted', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const carol = await world.user('carol').connect(gw2)
    const http = world.userCalled(alice.id).http(gw2)
    await bob.send(alice, 'before')
    expect((await http.put(`/blocks/${bob.id}`)).status).toBeLessThan(300)
    const refusal = await bob.sendRefused(alice, 'during', { ref: 'd' })
    expect(refusal).toMatchObject({ code: 'blocked', ref: 'd' })
    await carol.send(alice, 'not blocked')
    await alice.send(bob, 'the one who blocks is not refused')
    await bob.expects('message', { from: alice.id })
    expect((await http.delete(`/blocks/${bob.id}`)).status).toBeLessThan(300)
    const after = await bob.send(alice, 'after', { ref: 'd' })
    expect(after).not.toHaveProperty('dup', true)
    const { messages } = await alice.sync({ inbox: '0-0' })
    const fromBob = messages.filter((message) => message.from === bob.id)
    expect(fromBob.map((message) => message.body)).toEqual([text('before'), text('after')])
  })

  test('does not change what was sent before: its ref still gives the first id', async () => {
    const alice = world.user('alice')
    const bob = await world.user('bob').connect(gw2)
    const first = await bob.send(alice, 'before', { ref: 'b' })
    await alice.http().put(`/blocks/${bob.id}`)
    expect(await bob.send(alice, 'before', { ref: 'b', retry: true })).toMatchObject({
      id: first.id,
      dup: true,
    })
    expect((await bob.sendRefused(alice, 'new')).code).toBe('blocked')
  })
})

describe('the stranger limit', () => {
  const limited = { gateways: 2, env: { STRANGER_LIMIT: '' } }

  test('lets 3 messages through and refuses the next, exactly, however many race', async (context) => {
    const limitedWorld = await worldFor(context, limited)
    const [mallory, bob] = [limitedWorld.user('mallory'), limitedWorld.user('bob')]
    const [one, other] = [await mallory.connect(limitedWorld.gw1), await mallory.connect(limitedWorld.gw2)]
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).ask(one.sendFrame(bob, `offer ${n}`))),
    )
    const acks = replies.filter((reply) => reply.op === 'ack')
    expect(acks.map((ack) => seqOf(ack.id)).toSorted()).toEqual([1, 2, 3])
    const refusals = replies.filter((reply) => reply.op === 'error')
    expect(new Set(refusals.map((refusal) => refusal.code))).toEqual(new Set(['stranger_limit']))
    expect(refusals).toHaveLength(17)

    // Duplicates are answered, and neither they nor refusals count.
    const known = acks[0]!
    expect(await one.send(bob, 'again', { ref: known.ref })).toMatchObject({ id: known.id, dup: true })

    // It binds the pair alone, and ends when the other answers.
    await one.send(limitedWorld.user('carol'), 'another stranger')
    await (await bob.connect(limitedWorld.gw2)).send(mallory, 'well?')
    for (let n = 0; n < 4; n++) await one.send(bob, 'thanks')
  })

  test('does not bind towards one who follows, nor in groups, nor with oneself', async (context) => {
    const limitedWorld = await worldFor(context, limited)
    const [mallory, bob] = [limitedWorld.user('mallory'), limitedWorld.user('bob')]
    const session = await mallory.connect(limitedWorld.gw1)
    for (let n = 0; n < 3; n++) await session.send(bob, 'hi')
    expect((await session.sendRefused(bob, 'hi', { ref: 'fourth' })).code).toBe('stranger_limit')
    expect((await bob.http(limitedWorld.gw2).put(`/contacts/${mallory.id}`)).status).toBeLessThan(300)
    const ack = await session.send(bob, 'hi', { ref: 'fourth' })
    expect(ack).not.toHaveProperty('dup', true)
    for (let n = 0; n < 4; n++) await session.send(bob, 'hi')
    for (let n = 0; n < 5; n++) await session.send(mallory, 'note to self')
    const group = await mallory.createGroup({ members: [limitedWorld.user('carol')] })
    for (let n = 0; n < 5; n++) await session.send(group, 'hi group')
  })
})
