/**
 * A single publish that never comes, and nothing behind it that would show the jump: the gateway itself finds out that
 * the last message of somebody is missing, and says so to those who miss it.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { reachesLive, useWorld } from '../support/harness.ts'
import { RedisProxy } from '../support/redis-proxy.ts'

/** P4. */
const FOUND_WITHIN_MS = 45_000

const proxy = await RedisProxy.start(inject('redisUrl'))
afterAll(() => proxy.close())
// What is published to the second gateway comes through the proxy.
const world = await useWorld({ redisUrls: [undefined, proxy.url] })
const { gw1, gw2 } = world

let lastArranged: Promise<unknown> = Promise.resolve()

/**
 * Runs what leads up to a loss, one test after the other: a publish carries what one batch has for a node, and what
 * another test says at that moment would be lost with it.
 */
function arranged<Scene>(arrange: () => Promise<Scene>): Promise<Scene> {
  const scene = lastArranged.then(arrange)
  lastArranged = scene.catch(() => {})
  return scene
}

/** Sends words that are lost on their way to the second gateway. */
async function lost(send: (words: string) => Promise<{ id: string }>): Promise<{ id: string }> {
  const words = `lost ${randomUUID()}`
  const loses = proxy.loses(words)
  const { id } = await send(words)
  await loses
  return { id }
}

describe.concurrent('[P4] a single lost tail', { timeout: 90_000 }, () => {
  test('of a group is found within 45 s, and told to its members on that gateway alone', async () => {
    const { group, conv, head, id, a, b, n, o } = await arranged(async () => {
      const [alice, bob, near, outside] = ['alice', 'bob', 'near', 'outside'].map((name) => world.user(name))
      const group = await alice!.createGroup({ members: [bob!, near!] })
      const [a, b] = [await alice!.connect(gw1), await bob!.connect(gw2)]
      const [n, o] = [await near!.connect(gw1), await outside!.connect(gw2)]
      const { conv } = group
      await reachesLive(a, group, b)
      const { head } = (await b.sync({ convs: { [conv]: '0-0' } })).synced.convs[0]!
      b.forget()
      return { group, conv, head, a, b, n, o, ...(await lost((words) => a.send(group, words))) }
    })
    await b.expects('resync', ({ convs }) => convs?.includes(conv) ?? false, FOUND_WITHIN_MS)
    const { messages } = await b.sync({ convs: { [conv]: head } })
    expect(messages.map((message) => message.id)).toEqual([id])
    for (const session of [n, o]) {
      await session.expectsNothing('resync', ({ convs }) => convs?.includes(conv) ?? false)
    }
    await reachesLive(a, group, b)
  })

  test('of a dm is found within 45 s, and told to its user alone', async () => {
    const bob = world.user('bob')
    const { a, b, o, inbox, id } = await arranged(async () => {
      const [a, b] = [await world.user('alice').connect(gw1), await bob.connect(gw2)]
      const o = await world.user('outside').connect(gw2)
      await reachesLive(a, bob, b)
      const { inbox } = await b.ping()
      b.forget()
      return { a, b, o, inbox, ...(await lost((words) => a.send(bob, words))) }
    })
    await b.expects('resync', ({ convs }) => convs === undefined, FOUND_WITHIN_MS)
    const { messages } = await b.sync({ inbox })
    expect(messages.map((message) => message.id)).toEqual([id])
    await o.expectsNothing('resync', ({ convs }) => convs === undefined)
    await reachesLive(a, bob, b)
  })

  test('of an invitation is found within 45 s: who was invited hears the group from then on', async () => {
    const { group, invited, a, b } = await arranged(async () => {
      const [alice, bob] = [world.user('alice'), world.user('bob')]
      const group = await alice.createGroup()
      const [a, b] = [await alice.connect(gw1), await bob.connect(gw2)]
      // One script publishes both: they share their fate.
      const loses = Promise.all([
        proxy.loses(`"do":"enter","user":"${bob.id}"`),
        proxy.loses(`"users":["${bob.id}"]`),
      ])
      const members = `/groups/${group.id}/members`
      const invited = await alice.http(gw1).post<{ id: string }>(members, { users: [bob.id] })
      await loses
      return { group, invited, a, b }
    })
    await b.expects('resync', ({ convs }) => convs === undefined, FOUND_WITHIN_MS)
    const { messages } = await b.sync({ inbox: '0-0' })
    expect(messages.map(({ conv, id }) => [conv, id])).toEqual([[group.conv, invited.body.id]])
    await reachesLive(a, group, b)
  })

  test('of a channel is found within 45 s', async () => {
    const conv = 'channel:lobby'
    const { before, id, b } = await arranged(async () => {
      const [a, b] = [await world.user('alice').connect(gw1), await world.user('bob').connect(gw2)]
      await reachesLive(a, { target: conv }, b)
      const before = await a.send(conv, 'known')
      b.forget()
      return { before, b, ...(await lost((words) => a.send(conv, words))) }
    })
    await b.expects('resync', ({ convs }) => convs?.includes(conv) ?? false, FOUND_WITHIN_MS)
    const { messages } = await b.sync({ convs: { [conv]: before.id } })
    expect(messages.map((message) => message.id)).toContain(id)
  })
})
