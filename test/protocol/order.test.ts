/** P1 to P4 where they are hardest: many senders, two gateways, the same thing twice, at once. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { dmOf, seqOf, useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'
import type { WireClient } from '../support/wire-client.ts'

const world = await useWorld({ env: { SEND_RATE: '10000', SEND_BURST: '10000' } })
const { gw1, gw2 } = world

interface History {
  messages: { id: string; from: string; ref?: string; body: { type: string; text: string } }[]
}

const isSorted = (numbers: number[]) => numbers.every((number, at) => at === 0 || numbers[at - 1]! <= number)

describe('[P3] order', () => {
  test('two sends of one connection to one conversation are stored in the order sent', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const a = await alice.connect(gw1)
    const b = await bob.connect(gw2)
    const words = Array.from({ length: 200 }, (_, n) => `${n}`)
    const acks = await Promise.all(words.map((word) => a.send(bob, word)))
    expect(acks.map((ack) => seqOf(ack.id))).toEqual(words.map((_, n) => n + 1))
    await b.expects('message', { id: acks.at(-1)!.id })
    const seen = b.seen('message').map((message) => (message.body.type === 'text' ? message.body.text : ''))
    expect(seen).toEqual(words)
  })

  test('sends to several conversations, interleaved, keep the order of each', async () => {
    const alice = world.user('alice')
    const a = await alice.connect(gw1)
    const group = await alice.createGroup()
    const targets = [world.user('bob'), group, world.user('carol'), { target: 'channel:lobby' }]
    const acks = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => ({ n, ack: await a.send(targets[n % 4]!, `${n}`) })),
    )
    for (const conv of new Set(acks.map(({ ack }) => ack.conv))) {
      const ids = acks.filter(({ ack }) => ack.conv === conv).map(({ ack }) => seqOf(ack.id))
      expect(ids).toEqual(ids.map((_, n) => ids[0]! + n))
    }
  })

  test('all members on both gateways see a group in the order of ids, with no hole and nothing else', async () => {
    const users = ['alice', 'bob', 'carol', 'dave'].map((name) => world.user(name))
    const group = await users[0]!.createGroup({ members: users.slice(1) })
    const sessions = await Promise.all(users.map((user, n) => user.connect(n % 2 === 0 ? gw1 : gw2)))
    const reader = await users[1]!.connect(gw1)
    const acks = await Promise.all(
      sessions.flatMap((session) =>
        Array.from({ length: 50 }, (_, n) => session.send(group, `${session.id} ${n}`)),
      ),
    )
    const last = acks
      .map((ack) => ack.id)
      .toSorted((x, y) => seqOf(x) - seqOf(y))
      .at(-1)!
    await reader.expects('message', { id: last })
    const seqs = reader.seen('message', { conv: group.conv }).map((message) => seqOf(message.id))
    expect(seqs).toEqual(acks.map((ack) => seqOf(ack.id)).toSorted((x, y) => x - y))
    expect(seqs).toEqual(seqs.map((_, n) => seqs[0]! + n))
    for (const session of sessions) {
      await session.ping()
      expect(
        isSorted(session.seen('message', { conv: group.conv }).map((message) => seqOf(message.id))),
      ).toBe(true)
    }
    const path = `/conversations/${group.conv}/messages?limit=100`
    const { body } = await users[2]!.http(gw2).get<History>(path)
    const live = reader.seen('message', { conv: group.conv }).slice(-100)
    expect(body.messages.map(({ id, from }) => [id, from])).toEqual(live.map(({ id, from }) => [id, from]))
  })

  test("one user's inbox comes in its order, whoever writes, and is the same on all their devices", async () => {
    const bob = world.user('bob')
    const devices = [await bob.connect(gw1), await bob.connect(gw2)]
    const senders = await Promise.all(
      Array.from({ length: 6 }, (_, n) => world.user('sender').connect(n % 2 === 0 ? gw1 : gw2)),
    )
    await Promise.all(
      senders.flatMap((sender) => Array.from({ length: 20 }, (_, n) => sender.send(bob, `${n}`))),
    )
    const lists = []
    for (const device of devices) {
      await device.expects('message', ({ inbox }) => inbox !== undefined && seqOf(inbox) === 120)
      const frames = device.seen('message')
      expect(frames.map((frame) => seqOf(frame.inbox!))).toEqual(Array.from({ length: 120 }, (_, n) => n + 1))
      lists.push(frames.map((frame) => frame.id))
    }
    expect(lists[0]).toEqual(lists[1])
  })

  test('both sides of a dm who write at once see it in one order', async () => {
    const [alice, bob] = [await world.user('alice').connect(gw1), await world.user('bob').connect(gw2)]
    const observer = await world.userCalled(alice.id).connect(gw2)
    const acks = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        n % 2 === 0 ? alice.send(bob, `${n}`) : bob.send(alice, `${n}`),
      ),
    )
    expect(acks.map((ack) => seqOf(ack.id)).toSorted((x, y) => x - y)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    )
    await observer.expects('message', ({ inbox }) => inbox !== undefined && seqOf(inbox) === 100)
    const entries = observer.seen('message').map((message) => seqOf(message.inbox!))
    expect(entries).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
  })
})

describe('[P2] once', () => {
  /** Says the same frame on both, at once, and gives the two replies. */
  const both = (one: WireClient, other: WireClient, frame: ReturnType<WireClient['sendFrame']>) =>
    Promise.all([one.gets('ack', frame), other.gets('ack', frame)])

  test('stores a ref once, on whichever gateway it arrives, however often and however it races', async () => {
    const alice = world.user('alice')
    const [one, other] = [await alice.connect(gw1), await alice.connect(gw2)]
    const bob = await world.user('bob').connect(gw2)
    for (let round = 0; round < 20; round++) {
      const frame = one.sendFrame(bob, `round ${round}`)
      const [first, second] = await both(one, other, frame)
      expect(first.id).toBe(second.id)
      expect([first.dup === true, second.dup === true].toSorted()).toEqual([false, true])
      expect(await other.gets('ack', { ...frame, retry: true })).toMatchObject({ id: first.id, dup: true })
    }
    const path = `/conversations/${dmOf(alice, bob)}/messages?limit=100`
    const { body } = await alice.http().get<History>(path)
    expect(body.messages.map((message) => message.body.text)).toEqual(
      Array.from({ length: 20 }, (_, n) => `round ${n}`),
    )
  })

  test("the first one's body stays, whatever comes later under its ref", async () => {
    const alice = world.user('alice')
    const a = await alice.connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const first = await a.send(bob, 'the first', { ref: 'one' })
    expect(await a.send(bob, 'the second', { ref: 'one' })).toMatchObject({ id: first.id, dup: true })
    expect((await bob.expects('message')).body).toEqual(text('the first'))
    const { body } = await alice.http().get<History>(`/conversations/${dmOf(alice, bob)}/messages`)
    expect(body.messages.map((message) => message.body.text)).toEqual(['the first'])
  })

  test('is by sender and conversation: the same ref elsewhere is another message', async () => {
    const alice = world.user('alice')
    const a = await alice.connect(gw1)
    const [bob, carol] = [await world.user('bob').connect(gw2), world.user('carol')]
    const group = await alice.createGroup({ members: [bob] })
    const acks = [
      await a.send(bob, 'to bob', { ref: 'same' }),
      await a.send(carol, 'to carol', { ref: 'same' }),
      await a.send(group, 'to the group', { ref: 'same' }),
      await bob.send(alice, 'from bob', { ref: 'same' }),
      await bob.send(group, 'from bob', { ref: 'same' }),
    ]
    for (const ack of acks) expect(ack).not.toHaveProperty('dup', true)
    expect(seqOf(acks[3]!.id)).toBe(2)
  })

  test('a ref is compared as it is: case and spaces count', async () => {
    const a = await world.user('alice').connect(gw1)
    const refs = ['ref', 'REF', 'ref ', ' ref', 'r:ef', 'ref*']
    const ids = []
    for (const ref of refs) ids.push((await a.send('user:somebody', 'x', { ref })).id)
    expect(new Set(ids).size).toBe(refs.length)
  })

  test('a retry of what never came is stored as new', async () => {
    const a = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const ack = await a.send(bob, 'lost on the way', { retry: true })
    expect(ack).not.toHaveProperty('dup', true)
    await bob.expects('message', { id: ack.id })
  })

  test('a dead line does not make two of one: sent, dropped before the ack, sent again elsewhere', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const b = await bob.connect(gw2)
    for (let round = 0; round < 10; round++) {
      const a = await alice.connect(gw1)
      const frames = Array.from({ length: 5 }, (_, n) =>
        a.sendFrame(bob, `${round} ${n}`, { ref: randomUUID() }),
      )
      for (const frame of frames) a.say(frame)
      a.drop()
      const again = await alice.connect(gw2)
      for (const frame of frames) await again.gets('ack', { ...frame, retry: true })
      await again.close()
    }
    await b.expects('message', { body: text('9 4') })
    const { body } = await alice.http().get<History>(`/conversations/${dmOf(alice, bob)}/messages?limit=100`)
    const words = body.messages.map((message) => message.body.text)
    expect(words.toSorted()).toEqual([...new Set(words)].toSorted())
    expect(words).toHaveLength(50)
  })
})

describe('[P4] gaps', () => {
  test('a client that was away finds the hole by seq, and sync fills it', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const group = await alice.createGroup({ members: [bob] })
    const a = await alice.connect(gw1)
    const before = await bob.connect(gw2, { device: 'phone' })
    const seen = await a.send(group, 'seen')
    await before.expects('message', { id: seen.id })
    before.drop()
    const missed = [await a.send(group, 'missed 1'), await a.send(group, 'missed 2')]
    const after = await bob.connect(gw1, { device: 'phone' })
    const live = await a.send(group, 'live')
    await after.expects('message', { id: live.id })
    expect(seqOf(live.id)).toBe(seqOf(seen.id) + 3)
    const { messages } = await after.sync({ convs: { [group.conv]: seen.id } })
    expect(messages.map((message) => message.id)).toEqual([...missed, live].map((ack) => ack.id))
  })
})

describe('[P1] acked is kept', () => {
  test('what was acked is in the history and in the inbox at that moment, on the other gateway', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const b = await bob.connect(gw2)
    for (let n = 0; n < 20; n++) {
      const ack = await alice.send(bob, `${n}`)
      const [{ messages }, history] = await Promise.all([
        b.sync({ inbox: '0-0' }),
        bob.http(gw2).get<History>(`/conversations/${ack.conv}/messages?limit=1`),
      ])
      expect(messages.at(-1)!.id).toBe(ack.id)
      expect(history.body.messages.map(({ id }) => id)).toEqual([ack.id])
    }
  })

  test('nothing falls between hello and sync: what comes live and what sync brings is everything', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const group = await alice.createGroup({ members: [bob], history: 'all' })
    const a = await alice.connect(gw1)
    const start = await a.send(group, 'start')
    const sent: { conv: string; id: string }[] = []
    let isOver = false
    const sending = (async () => {
      while (!isOver) sent.push(...(await Promise.all([a.send(bob, 'x'), a.send(group, 'y')])))
    })()
    const positions = { inbox: '0-0', convs: { [group.conv]: start.id } }
    const sessions: { b: WireClient; synced: string[] }[] = []
    for (let round = 0; round < 10; round++) {
      const b = await bob.connect(round % 2 === 0 ? gw1 : gw2)
      const { messages } = await b.sync(positions)
      sessions.push({ b, synced: messages.map(({ id, conv }) => `${conv} ${id}`) })
    }
    isOver = true
    await sending
    const ends = [await a.send(bob, 'end'), await a.send(group, 'end')]
    for (const { b, synced } of sessions) {
      for (const { id, conv } of ends) await b.expects('message', { id, conv })
      const live = b.seen('message').map(({ id, conv }) => `${conv} ${id}`)
      const got = new Set([...synced, ...live])
      expect(sent.filter(({ id, conv }) => !got.has(`${conv} ${id}`))).toEqual([])
    }
  })
})
