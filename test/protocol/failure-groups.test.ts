/**
 * Calls that change who is in a group, broken off after the group has the change and before its users know: by the
 * death of the gateway, or of its line to Redis. Whoever is concerned hears of it all the same, live and later.
 */
import { afterAll, describe, expect, inject, test } from 'vitest'
import { type Group, type User, until, useWorld } from '../support/harness.ts'
import { RedisProxy } from '../support/redis-proxy.ts'

/** What only a user's own books have: the first command of the second step names it. */
const SECOND_STEP = ':turns'
/** What only a group's script has in its keys: the first step. */
const FIRST_STEP = ':untold:'
/** A lease, the look that finds it lapsed, and the reaping, ms. */
const FINISHED_WITHIN_MS = 25_000

const redisUrl = inject('redisUrl')
const proxies = await Promise.all(Array.from({ length: 5 }, () => RedisProxy.start(redisUrl)))
afterAll(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))))
// The first gateway stays; each of the others has a call broken off.
const world = await useWorld({ gateways: 6, redisUrls: [undefined, ...proxies.map(({ url }) => url)] })
const { gw1 } = world
const on = (number: number) => ({ gateway: world.cluster.nodes[number]!, proxy: proxies[number - 1]! })

const isEvent = (event: string, user: User) => (frame: { body: object }) =>
  (frame.body as { event?: string; users?: string[] }).event === event &&
  (frame.body as { users: string[] }).users.includes(user.id)

/** The groups in a user's list of conversations. */
async function groupsOf(user: User): Promise<string[]> {
  const { body } = await user.http(gw1).get<{ conversations: { conv: string }[] }>('/conversations')
  return body.conversations.flatMap(({ conv }) => (conv.startsWith('group:') ? conv : []))
}

/** Does a call on a gateway that dies between its two steps. */
async function killedBetween(number: number, call: (gateway: typeof gw1) => Promise<unknown>): Promise<void> {
  const { gateway, proxy } = on(number)
  const stopped = proxy.stopsAt(SECOND_STEP)
  const outcome = call(gateway).then(
    () => 'answered',
    () => 'no answer',
  )
  await stopped
  await gateway.kill('SIGKILL')
  expect(await outcome).toBe('no answer')
}

describe.concurrent('kill -9 between the group and its users', () => {
  test('[P1] of making a group: its members hear of it, and hear each other in it', {
    timeout: 60_000,
  }, async () => {
    const [alice, bob, later] = [world.user('alice'), world.user('bob'), world.user('later')]
    const [a, b] = [await alice.connect(gw1), await bob.connect(gw1)]
    const members = [bob.id, later.id]
    await killedBetween(1, (gateway) => alice.http(gateway).post('/groups', { name: 'a group', members }))
    const joined = isEvent('member_joined', later)
    const { conv, id } = await b.expects('message', joined, FINISHED_WITHIN_MS)
    await a.expects('message', { conv, id })
    const sent = await a.send(conv, 'heard by all')
    await b.expects('message', { conv, id: sent.id })
    const l = await later.connect(gw1)
    const { messages } = await l.sync({ inbox: '0-0', convs: { [conv]: id } })
    expect(messages.map((message) => message.id)).toEqual([id, sent.id])
    for (const user of [alice, bob, later]) expect(await groupsOf(user)).toEqual([conv])
  })

  test('[P1] of an invitation: who was invited hears of it, and what was said meanwhile', {
    timeout: 60_000,
  }, async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup()
    const [a, b] = [await alice.connect(gw1), await bob.connect(gw1)]
    await killedBetween(2, (gateway) =>
      alice.http(gateway).post(`/groups/${group.id}/members`, { users: [bob.id] }),
    )
    const { conv } = group
    const { id } = await a.expects('message', isEvent('member_joined', bob))
    const meanwhile = await a.send(group, 'meanwhile')
    await b.expects('message', { conv, id }, FINISHED_WITHIN_MS)
    await b.expects('message', { conv, id: meanwhile.id })
    const answer = await b.send(group, 'here I am')
    await a.expects('message', { conv, id: answer.id })
    expect(await groupsOf(bob)).toEqual([conv])
  })

  test('[P1] of a joining: who joined an open group is in it', { timeout: 60_000 }, async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup({ join: 'open' })
    const [a, b] = [await alice.connect(gw1), await bob.connect(gw1)]
    await killedBetween(3, (gateway) =>
      bob.http(gateway).post(`/groups/${group.id}/members`, { users: [bob.id] }),
    )
    const { conv } = group
    const { id } = await a.expects('message', isEvent('member_joined', bob))
    await b.expects('message', { conv, id }, FINISHED_WITHIN_MS)
    const sent = await a.send(group, 'welcome')
    await b.expects('message', { conv, id: sent.id })
    expect(await groupsOf(bob)).toEqual([conv])
  })

  test('[P6] of a removal: who was removed is told, and has the group no more', {
    timeout: 60_000,
  }, async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group = await alice.createGroup({ members: [bob] })
    const [a, b] = [await alice.connect(gw1), await bob.connect(gw1)]
    const path = `/groups/${group.id}/members/${bob.id}`
    await killedBetween(4, (gateway) => alice.http(gateway).delete(path))
    const { conv } = group
    const { id } = await a.expects('message', isEvent('member_removed', bob))
    const secret = await a.send(group, 'not for bob')
    expect((await alice.http(gw1).delete(path)).status).toBe(404)
    await b.expects('message', { conv, id }, FINISHED_WITHIN_MS)
    await b.expectsNothing('message', { conv, id: secret.id }, { after: a })
    expect(await groupsOf(bob)).not.toContain(conv)
    const welcomed = await bob.connect(gw1)
    const { messages, synced } = await welcomed.sync({ inbox: '0-0' })
    expect(messages.filter((message) => message.conv === conv).at(-1)?.id).toBe(id)
    expect(synced.convs.map((one) => one.conv)).not.toContain(conv)
  })
})

describe('Redis gone for a moment', () => {
  const { gateway, proxy } = on(5)
  const scene = async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')]
    const group: Group = await alice.createGroup()
    const invite = () => alice.http(gateway).post(`/groups/${group.id}/members`, { users: [bob.id] })
    return { bob, group, invite, b: await bob.connect(gw1) }
  }

  test('[P1] between the group and its users: the call is unavailable, and finished all the same', async () => {
    const { bob, group, invite, b } = await scene()
    const stopped = proxy.stopsAt(SECOND_STEP)
    const answer = invite()
    ;(await stopped).cut()
    expect(await answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    await b.expects('message', { conv: group.conv }, 10_000)
    expect(await groupsOf(bob)).toEqual([group.conv])
  })

  test('[P1] before it can say that the group has the change: what it has is told', async () => {
    const { bob, group, invite, b } = await scene()
    const silenced = proxy.silencesAnswerTo(FIRST_STEP)
    const answer = invite()
    ;(await silenced).cut()
    expect(await answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    await b.expects('message', { conv: group.conv }, 10_000)
    await until(async () => (await invite()).status === 200, 10_000, 'the gateway serves again')
    expect(await groupsOf(bob)).toEqual([group.conv])
    await b.expectsNothing('message', { conv: group.conv })
  })
})
