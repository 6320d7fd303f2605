/** Conversations and their history as resources. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { dmOf, msOf, seqOf, useWorld } from '../support/harness.ts'
import { text } from '../support/harness-client.ts'

const world = await useWorld()
const { gw1, gw2 } = world

interface History {
  messages: { conv: string; id: string; from: string; body: { type: string; text?: string } }[]
  more: boolean
}

interface List {
  conversations: { conv: string; head: string; read: string; unread: number; last?: { id: string } }[]
  cursor?: string
}

const failure = (status: number, code: string) => ({
  status,
  body: { error: { code, message: expect.any(String) } },
})

/** A dm with `count` messages of Alice. */
async function letters(count: number) {
  const [alice, bob] = [world.user('alice'), world.user('bob')]
  const a = await alice.connect(gw1)
  const ids: string[] = []
  for (let n = 1; n <= count; n++) ids.push((await a.send(bob, `${n}`)).id)
  const conv = dmOf(alice, bob)
  const page = (query = '', user = bob) =>
    user.http(gw2).get<History>(`/conversations/${conv}/messages${query}`)
  return { alice, bob, a, conv, ids, page }
}

const seqs = ({ body }: { body: History }) => body.messages.map(({ id }) => seqOf(id))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

describe('history', () => {
  test('without a position is the newest, oldest first, 20 where no limit is given', async () => {
    const { alice, conv, ids, page } = await letters(25)
    const answer = await page()
    expect(answer.status).toBe(200)
    expect(seqs(answer)).toEqual(range(6, 25))
    expect(answer.body.more).toBe(true)
    const last = answer.body.messages.at(-1)!
    expect(last).toEqual({ conv, id: ids[24], from: alice.id, ref: expect.any(String), body: text('25') })
    expect(seqs(await page('?limit=100'))).toEqual(range(1, 25))
    expect((await page('?limit=100')).body.more).toBe(false)
    expect((await page('?limit=25')).body.more).toBe(false)
  })

  test('before and after are exclusive; more looks in the direction asked', async () => {
    const { ids, page } = await letters(12)
    const before = await page(`?before=${ids[5]}&limit=3`)
    expect([seqs(before), before.body.more]).toEqual([[3, 4, 5], true])
    const first = await page(`?before=${ids[2]}&limit=3`)
    expect([seqs(first), first.body.more]).toEqual([[1, 2], false])
    const after = await page(`?after=${ids[5]}&limit=3`)
    expect([seqs(after), after.body.more]).toEqual([[7, 8, 9], true])
    const end = await page(`?after=${ids[8]}&limit=3`)
    expect([seqs(end), end.body.more]).toEqual([[10, 11, 12], false])
    const beginning = await page('?after=0-0&limit=2')
    expect([seqs(beginning), beginning.body.more]).toEqual([[1, 2], true])
    const nothing = await page(`?after=${ids[11]}`)
    expect([seqs(nothing), nothing.body.more]).toEqual([[], false])
  })

  test('at starts at a time', async () => {
    const { a, bob, ids, page } = await letters(2)
    // The next gets a later time, so that there is a time between them.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const third = await a.send(bob, '3')
    await a.send(bob, '4')
    expect(seqs(await page(`?at=${msOf(third.id)}`))).toEqual([3, 4])
    expect(seqs(await page(`?at=${msOf(third.id)}&limit=1`))).toEqual([3])
    expect((await page(`?at=${msOf(third.id)}&limit=1`)).body.more).toBe(true)
    expect(seqs(await page(`?at=${msOf(ids[0]!)}`))).toEqual([1, 2, 3, 4])
    expect(seqs(await page(`?at=${msOf(third.id) + 3_600_000}`))).toEqual([])
  })

  test('can be walked in both directions without losing or repeating anything', async () => {
    const { page } = await letters(33)
    const back: number[] = []
    let before: string | undefined
    for (let more = true; more; ) {
      const { body } = await page(`?limit=7${before === undefined ? '' : `&before=${before}`}`)
      back.unshift(...body.messages.map(({ id }) => seqOf(id)))
      before = body.messages[0]!.id
      more = body.more
    }
    expect(back).toEqual(range(1, 33))
    const forth: number[] = []
    let after = '0-0'
    for (let more = true; more; ) {
      const { body } = await page(`?limit=7&after=${after}`)
      forth.push(...body.messages.map(({ id }) => seqOf(id)))
      after = body.messages.at(-1)!.id
      more = body.more
    }
    expect(forth).toEqual(range(1, 33))
  })

  test.each([
    'before=1-1&after=1-1',
    'before=1-1&at=1',
    'after=1-1&at=1',
    'before=12',
    'after=x',
    'before=01-1',
    'at=yesterday',
    'at=-1',
    'limit=0',
    'limit=101',
    'limit=ten',
  ])('with %s is a bad_request', async (query) => {
    const { page } = await letters(1)
    expect(await page(`?${query}`)).toMatchObject(failure(400, 'bad_request'))
  })

  test("of an own empty dm is empty, of another's is not_found", async () => {
    const { alice, conv } = await letters(1)
    const carol = world.user('carol')
    const empty = await alice.http().get(`/conversations/${dmOf(alice, carol)}/messages`)
    expect(empty).toMatchObject({ status: 200, body: { messages: [], more: false } })
    for (const path of ['', '/messages', '/messages?after=0-0']) {
      const answer = await carol.http().get(`/conversations/${conv}${path}`)
      expect(answer).toMatchObject(failure(404, 'not_found'))
    }
  })

  test('of a group one is not in is not_member, of none not_found, of a malformed conv a bad_request', async () => {
    const group = await world.user('alice').createGroup()
    const http = world.user('mallory').http()
    for (const path of ['', '/messages']) {
      expect(await http.get(`/conversations/${group.conv}${path}`)).toMatchObject(failure(403, 'not_member'))
      expect(await http.get(`/conversations/group:nope${path}`)).toMatchObject(failure(404, 'not_found'))
      for (const conv of [
        'nope',
        'dm:b:a',
        'dm:a',
        'user:a',
        'group:',
        'group:a%20b',
        'dm:a:b:c',
        '__proto__',
      ]) {
        expect(await http.get(`/conversations/${conv}${path}`)).toMatchObject(failure(400, 'bad_request'))
      }
    }
  })

  test('is found under the escaped name of a conversation as well', async () => {
    const { bob, conv } = await letters(1)
    const answer = await bob.http().get<History>(`/conversations/${encodeURIComponent(conv)}/messages`)
    expect(answer).toMatchObject({ status: 200, body: { messages: [{ conv }] } })
  })

  test("shows a group's events among its messages", async () => {
    const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
    const group = await alice.createGroup({ members: [bob] })
    await (await alice.connect()).send(group, 'hi')
    const added = await alice
      .http()
      .post<{ id: string }>(`/groups/${group.id}/members`, { users: [carol.id] })
    const { body } = await bob.http(gw2).get<History>(`/conversations/${group.conv}/messages`)
    expect(body.messages.at(-1)).toEqual({
      conv: group.conv,
      id: added.body.id,
      from: alice.id,
      body: { type: 'event', event: 'member_joined', users: [carol.id], by: alice.id },
    })
    expect(body.messages.at(-2)!.body).toEqual(text('hi'))
  })
})

describe('the list of conversations', () => {
  test('has what synced has, newest first', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await bob.createGroup({ members: [alice] })
    const b = await bob.connect(gw1)
    const inGroup = await b.send(group, 'in the group')
    // Within one ms neither would be the newer.
    while (Date.now() <= msOf(inGroup.id)) await setImmediate()
    const direct = await b.send(alice, 'direct')
    const http = alice.http(gw2)
    const list = await http.get<List>('/conversations')
    expect(list.status).toBe(200)
    const own = list.body.conversations.filter(({ conv }) => !conv.startsWith('channel:'))
    expect(own.map(({ conv }) => conv)).toEqual([dmOf(alice, bob), group.conv])
    expect(own[0]).toMatchObject({
      head: direct.id,
      unread: 1,
      last: { id: direct.id, body: text('direct') },
    })
    expect(own[1]).toMatchObject({ head: inGroup.id, last: { id: inGroup.id } })
    const { synced } = await (await alice.connect(gw1)).sync()
    expect(synced.convs.find(({ conv }) => conv === dmOf(alice, bob))).toEqual(own[0])
    expect(await http.get(`/conversations/${group.conv}`)).toMatchObject({ status: 200, body: own[1]! })
    expect(await http.get(`/conversations/${dmOf(alice, bob)}`)).toMatchObject({ status: 200, body: own[0]! })
  })

  test('comes in pages, nothing twice, nothing left out', async () => {
    const alice = world.user('alice')
    const a = await alice.connect()
    const peers = Array.from({ length: 12 }, () => world.user('peer'))
    for (const peer of peers) await a.send(peer, 'hi')
    const listed: List['conversations'] = []
    let cursor: string | undefined
    do {
      const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page: { body: List } = await alice.http(gw2).get<List>(`/conversations?limit=5${query}`)
      expect(page.body.conversations.length).toBeLessThanOrEqual(5)
      listed.push(...page.body.conversations)
      cursor = page.body.cursor
    } while (cursor !== undefined)
    const dms = listed.filter(({ conv }) => conv.startsWith('dm:'))
    expect(dms.map(({ conv }) => conv).toSorted()).toEqual(peers.map((peer) => dmOf(alice, peer)).toSorted())
    const times = dms.map(({ head }) => msOf(head))
    expect(times).toEqual(times.toSorted((x, y) => y - x))
    expect(new Set(listed.map(({ conv }) => conv)).size).toBe(listed.length)
  })

  test.each(['limit=0', 'limit=101', 'limit=many'])('with %s is a bad_request', async (query) => {
    expect(await world.user('alice').http().get(`/conversations?${query}`)).toMatchObject(
      failure(400, 'bad_request'),
    )
  })
})
