/** Coming back: what sync brings after a position, in which portions, and what it says where it cannot bring all. */
import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { dmOf, msOf, seqOf, useWorld, worldFor } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'

const world = await useWorld({ env: { SEND_RATE: '10000', SEND_BURST: '10000' } })
const { gw1, gw2 } = world

describe('sync of the inbox', () => {
  test('[P1] brings everything after the position, in order, with its places', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const acks = []
    for (let n = 1; n <= 5; n++) acks.push(await alice.send(bob, `${n}`))
    const b = await bob.connect(gw2)
    const all = await b.sync({ inbox: '0-0' })
    expect(all.messages.map((message) => message.id)).toEqual(acks.map((ack) => ack.id))
    expect(all.messages.map((message) => seqOf(message.inbox!))).toEqual([1, 2, 3, 4, 5])
    expect(all.synced.inbox).toBe(all.messages[4]!.inbox)
    expect(all.synced).not.toHaveProperty('gap', true)
    const some = await b.sync({ inbox: all.messages[2]!.inbox! })
    expect(some.messages.map((message) => message.body)).toEqual([text('4'), text('5')])
    const none = await b.sync({ inbox: all.synced.inbox })
    expect(none.messages).toEqual([])
  })

  test("without a position starts at the device's own", async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const phone = await bob.connect(gw2, { device: 'phone' })
    const laptop = await bob.connect(gw1, { device: 'laptop' })
    await alice.send(bob, 'one')
    const { inbox } = await phone.expects('message')
    phone.say({ op: 'received', inbox })
    await phone.ping()
    await alice.send(bob, 'two')
    await laptop.expects('message', { body: text('two') })
    expect((await phone.sync()).messages.map((message) => message.body)).toEqual([text('two')])
  })

  test('gives the messages as they went out live', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    await alice.send(bob, { type: 'custom', a: [1, { b: null }] }, { ref: 'r', mentions: [bob.id] })
    const live = await bob.expects('message')
    const { messages } = await bob.sync({ inbox: '0-0' })
    expect(messages).toEqual([live])
  })

  test('comes in batches of at most 100 frames, in order, all before synced', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    await Promise.all(Array.from({ length: 250 }, (_, n) => alice.send(bob, `${n}`)))
    const b = await bob.connect(gw2)
    const { batches, messages } = await b.sync({ inbox: '0-0' })
    expect(messages.map((message) => seqOf(message.inbox!))).toEqual(
      Array.from({ length: 250 }, (_, n) => n + 1),
    )
    expect(Math.max(...batches.map((frames) => frames.length))).toBeLessThanOrEqual(100)
    expect(b.frames.findLastIndex(({ op }) => op === 'batch')).toBeLessThan(
      b.frames.findIndex(({ op }) => op === 'synced'),
    )
  })

  test('comes in batches of at most 256 KiB', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const long = 'x'.repeat(15_000)
    await Promise.all(Array.from({ length: 60 }, () => alice.send(bob, long)))
    const b = await bob.connect(gw2)
    const { messages } = await b.sync({ inbox: '0-0' })
    expect(messages).toHaveLength(60)
    for (const { frames } of b.seen('batch')) {
      const bytes = frames.reduce((sum, frame) => sum + Buffer.byteLength(JSON.stringify(frame)), 0)
      expect(bytes).toBeLessThanOrEqual(256 * 1024)
    }
  })

  test('[P1] right behind the hello leaves nothing out between its batches and the live frames', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    for (let n = 0; n < 20; n++) await world.user('owner').createGroup({ members: [bob] })
    let inbox = '0-0'
    for (let round = 1; round <= 10; round++) {
      const sends = Array.from({ length: 20 }, () => alice.send(bob, 'meanwhile'))
      const b = await world.open(gw2)
      const hello = b.hello({ token: bob.token(), device: randomUUID() })
      const synced = b.sync({ inbox })
      while (b.frames.length === 0) {
        sends.push(alice.send(bob, 'meanwhile'))
        await setImmediate()
      }
      const [, { messages }] = await Promise.all([hello, synced, ...sends])
      await alice.send(bob, `the end of ${round}`)
      const end = await b.expects('message', { body: text(`the end of ${round}`) })
      const places = new Set([...messages, ...b.seen('message')].map((message) => seqOf(message.inbox!)))
      expect(places.size).toBe(seqOf(end.inbox!) - seqOf(inbox))
      inbox = end.inbox!
      await b.close()
    }
  })

  test('of which several are in flight at once are all answered whole', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    for (let n = 1; n <= 4; n++) await alice.send(bob, `${n}`)
    const b = await bob.connect(gw2)
    const syncs = await Promise.all(['0-0', '0-0', '0-0'].map((inbox) => b.sync({ inbox })))
    for (const { messages } of syncs)
      expect(messages.map((message) => seqOf(message.inbox!))).toEqual([1, 2, 3, 4])
  })

  test('from a position that is no entry counts from the last entry before it', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    await alice.send(bob, '1')
    await alice.send(bob, '2')
    await bob.expects('message')
    const second = await bob.expects('message')
    // The third gets a later time than the second, so that there is room for a position between them.
    await sleep(5)
    await alice.send(bob, '3')
    const later = `${msOf(second.inbox!) + 1}-2`
    const early = `${msOf(second.inbox!) - 1_000_000}-2`
    expect((await bob.sync({ inbox: later })).messages.map((message) => message.body)).toEqual([text('3')])
    expect((await bob.sync({ inbox: early })).messages).toHaveLength(3)
  })

  test('from a position above the head says gap', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const ack = await alice.send(bob, 'one')
    const { synced } = await bob.sync({ inbox: `${msOf(ack.id) + 60_000}-50` })
    expect(synced).toMatchObject({ gap: true })
    expect(seqOf(synced.inbox)).toBe(1)
  })

  test('from a position older than the log says gap and sends what there is', async (context) => {
    const env = { INBOX_MAXLEN: '20', SEND_RATE: '10000', SEND_BURST: '10000' }
    const short = await worldFor(context, { env })
    const alice = await short.user('alice').connect(short.gw1)
    const bob = short.user('bob')
    const first = await bob.connect(short.gw2, { device: 'phone' })
    await alice.send(bob, 'the first')
    const { inbox } = await first.expects('message')
    await first.close()
    await Promise.all(Array.from({ length: 600 }, (_, n) => alice.send(bob, `${n}`)))
    const back = await bob.connect(short.gw2, { device: 'phone', inbox: inbox! })
    expect(back.welcome.resumed).toBe(false)
    const { messages, synced } = await back.sync({ inbox: inbox! })
    expect(synced).toMatchObject({ gap: true })
    expect(messages.length).toBeGreaterThanOrEqual(20)
    expect(messages.length).toBeLessThan(600)
    const places = messages.map((message) => seqOf(message.inbox!))
    expect(places).toEqual(places.map((_, n) => places[0]! + n))
    expect(places.at(-1)).toBe(601)
  })
})

describe('received', () => {
  test('moves forward only, and not past the head', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const phone = await bob.connect(gw2, { device: 'phone' })
    await bob.connect(gw2, { device: 'laptop' })
    const places: string[] = []
    for (let n = 1; n <= 3; n++) {
      await alice.send(bob, `${n}`)
      places.push((await phone.expects('message')).inbox!)
    }
    phone.say({ op: 'received', inbox: places[1] })
    phone.say({ op: 'received', inbox: places[0] })
    await phone.ping()
    expect((await phone.sync()).messages.map((message) => message.body)).toEqual([text('3')])
    phone.say({ op: 'received', inbox: '9007199254740991-9007199254740991' })
    await phone.ping()
    expect((await phone.sync()).messages).toEqual([])
    await alice.send(bob, '4')
    await phone.expects('message')
    expect((await phone.sync()).messages.map((message) => message.body)).toEqual([text('4')])
  })

  test('by one device takes nothing from another', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    const phone = await bob.connect(gw2, { device: 'phone' })
    await (await bob.connect(gw1, { device: 'laptop' })).close()
    await alice.send(bob, 'one')
    const { inbox } = await phone.expects('message')
    phone.say({ op: 'received', inbox })
    await phone.ping()
    const laptop = await bob.connect(gw1, { device: 'laptop' })
    expect((await laptop.sync({ inbox: '0-0' })).messages.map((message) => message.body)).toEqual([
      text('one'),
    ])
  })

  test.each(['5', '', '-1-1', '1-01', '1-1 ', '9007199254740992-1', 7, null])(
    'of %j is a bad_request',
    async (inbox) => {
      const alice = await world.user('alice').connect()
      expect(await alice.refused({ op: 'received', inbox })).toMatchObject({
        code: 'bad_request',
        field: 'inbox',
      })
    },
  )
})

describe('sync of conversations', () => {
  test('with convs alone brings those and nothing of the inbox', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const a = await alice.connect(gw1)
    const group = await alice.createGroup({ members: [bob] })
    const other = await alice.createGroup({ members: [bob] })
    const first = await a.send(group, 'one')
    const second = await a.send(group, 'two')
    await a.send(other, 'elsewhere')
    await a.send(bob, 'in a dm')
    const { messages, synced } = await (await bob.connect(gw2)).sync({ convs: { [group.conv]: first.id } })
    expect(messages.map((message) => message.id)).toEqual([second.id])
    expect(messages[0]).toMatchObject({ conv: group.conv, body: text('two') })
    expect(synced.convs.map((entry) => entry.conv)).toEqual([group.conv])
    expect(synced.convs[0]).toMatchObject({ head: second.id, last: { id: second.id, body: text('two') } })
  })

  test('brings several at once, each from its own position, together with the inbox', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const a = await alice.connect(gw1)
    const [one, two] = [
      await alice.createGroup({ members: [bob] }),
      await alice.createGroup({ members: [bob] }),
    ]
    const b = await bob.connect(gw2)
    const { synced: now } = await b.sync({ inbox: '0-0' })
    const starts = Object.fromEntries(now.convs.map((entry) => [entry.conv, entry.head]))
    const expected = [
      await a.send(one, 'x'),
      await a.send(two, 'y'),
      await a.send(two, 'z'),
      await a.send(bob, 'w'),
    ]
    const { messages, synced } = await b.sync({
      inbox: now.inbox,
      convs: { [one.conv]: starts[one.conv]!, [two.conv]: starts[two.conv]! },
    })
    expect(messages.map((message) => message.id).toSorted()).toEqual(expected.map((ack) => ack.id).toSorted())
    const inTwo = messages.filter((message) => message.conv === two.conv)
    expect(inTwo.map((message) => message.body)).toEqual([text('y'), text('z')])
    expect(synced.convs.map((entry) => entry.conv)).toEqual(expect.arrayContaining([one.conv, two.conv]))
  })

  test('skips what one may not read, and what does not exist, and brings the rest', async () => {
    const alice = world.user('alice')
    const bob = world.user('bob')
    const a = await alice.connect(gw1)
    const theirs = await alice.createGroup()
    const ours = await alice.createGroup({ members: [bob] })
    await a.send(theirs, 'secret')
    await a.send(ours, 'for both')
    const foreign = dmOf(alice, world.user('carol'))
    const b = await bob.connect(gw2)
    const { messages, synced } = await b.sync({
      convs: {
        [theirs.conv]: '0-0',
        [ours.conv]: '0-0',
        'group:nope': '0-0',
        'channel:nope': '0-0',
        [foreign]: '0-0',
      },
    })
    expect(JSON.stringify(messages)).not.toContain('secret')
    expect(messages.map((message) => message.body)).toContainEqual(text('for both'))
    expect(synced.convs.map((entry) => entry.conv)).toEqual([ours.conv])
  })

  test('from an unknown position says gap for that conversation', async () => {
    const alice = world.user('alice')
    const group = await alice.createGroup()
    const a = await alice.connect(gw1)
    const { id } = await a.send(group, 'one')
    const { synced } = await a.sync({ convs: { [group.conv]: `${msOf(id) + 60_000}-999` } })
    expect(synced.convs).toMatchObject([{ conv: group.conv, head: id, gap: true }])
  })

  test.each([
    ['a list', ['group:a']],
    ['a bad key', { 'group:a b': '0-0' }],
    ['a bad kind', { 'user:alice': '0-0' }],
    ['a bad position', { 'group:a': '7' }],
    ['a number', { 'group:a': 7 }],
    ['a dm in the wrong order', { 'dm:b:a': '0-0' }],
  ])('with %s for convs is a bad_request', async (_what, convs) => {
    const alice = await world.user('alice').connect()
    const error = await alice.refused({ op: 'sync', convs })
    expect(error).toMatchObject({ code: 'bad_request', field: expect.stringMatching(/^convs/) })
  })
})

describe('synced.convs', () => {
  test('lists all conversations, the newest first, with head, read, unread and last', async () => {
    const alice = world.user('alice')
    const [bob, carol] = [world.user('bob'), world.user('carol')]
    const [b, c] = [await bob.connect(gw1), await carol.connect(gw2)]
    await b.send(alice, 'b1')
    const group = await carol.createGroup({ members: [alice] })
    const earlier = await c.send(group, 'g1')
    // Within one ms neither would be the newer.
    while (Date.now() <= msOf(earlier.id)) await setImmediate()
    const newest = await b.send(alice, 'b2')
    const a = await alice.connect(gw2)
    const { synced } = await a.sync()
    const own = synced.convs.filter((entry) => !entry.conv.startsWith('channel:'))
    expect(own.map((entry) => entry.conv)).toEqual([dmOf(alice, bob), group.conv])
    expect(own[0]).toMatchObject({
      head: newest.id,
      unread: 2,
      last: { id: newest.id, from: bob.id, conv: dmOf(alice, bob), body: text('b2') },
    })
    expect(own[1]).toMatchObject({ head: expect.any(String), last: { from: carol.id, body: text('g1') } })
  })

  test('cuts a last body above 1 KiB and says so', async () => {
    const alice = world.user('alice')
    const b = await world.user('bob').connect()
    await b.send(alice, 'x'.repeat(900))
    const a = await alice.connect(gw2)
    const conv = dmOf(alice, b)
    const short = (await a.sync()).synced.convs.find((entry) => entry.conv === conv)
    expect(short!.last!.body).toEqual(text('x'.repeat(900)))
    expect(short!.last).not.toHaveProperty('cut', true)
    await b.send(alice, 'y'.repeat(5_000))
    const long = (await a.sync()).synced.convs.find((entry) => entry.conv === conv)
    expect(long!.last).toMatchObject({ cut: true, from: b.id })
    expect(Buffer.byteLength(JSON.stringify(long!.last!.body))).toBeLessThanOrEqual(1_100)
  })

  test('lists at most 200, the rest is in HTTP pages, nothing twice', async () => {
    const alice = world.user('alice')
    const a = await alice.connect(gw1)
    const peers = Array.from({ length: 205 }, () => world.user('peer'))
    await Promise.all(peers.map((peer) => a.send(peer, 'hi')))
    expect((await a.sync()).synced.convs).toHaveLength(200)
    const listed: string[] = []
    let cursor: string | undefined
    do {
      const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page: { body: { conversations: { conv: string }[]; cursor?: string } } = await alice
        .http(gw2)
        .get(`/conversations?limit=100${query}`)
      listed.push(...page.body.conversations.map((entry) => entry.conv))
      cursor = page.body.cursor
    } while (cursor !== undefined)
    expect(new Set(listed).size).toBe(listed.length)
    for (const peer of peers) expect(listed).toContain(dmOf(alice, peer))
  })
})
