/** [P7] Typing: passed on live to those it concerns, thinned out, and kept nowhere. */
import { describe, expect, test } from 'vitest'
import { dmOf, useWorld } from '../support/harness.ts'

const world = await useWorld()
const { gw1, gw2 } = world

describe('[P7] typing', () => {
  test('in a dm reaches the other user on another gateway, and nobody else', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const carol = await world.user('carol').connect(gw2)
    alice.say({ op: 'typing', to: bob.target })
    expect(await bob.expects('typing')).toEqual({ op: 'typing', conv: dmOf(alice, bob), from: alice.id })
    await carol.expectsNothing('typing', {}, { after: alice })
  })

  test('in a group reaches its members, and nobody outside', async () => {
    const [alice, bob, carol] = [world.user('alice'), world.user('bob'), world.user('carol')]
    const group = await alice.createGroup({ members: [bob, carol] })
    const [a, b, c] = [await alice.connect(gw1), await bob.connect(gw2), await carol.connect(gw1)]
    const outsider = await world.user('dave').connect(gw2)
    a.say({ op: 'typing', to: group.target })
    for (const session of [b, c]) {
      expect(await session.expects('typing')).toEqual({ op: 'typing', conv: group.conv, from: alice.id })
    }
    await outsider.expectsNothing('typing', {}, { after: a })
  })

  test('is passed on once in 3 s, however often it is said', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    for (let n = 0; n < 20; n++) alice.say({ op: 'typing', to: bob.target })
    await bob.expects('typing')
    await bob.expectsNothing('typing', {}, { after: alice })
  })

  test('is passed on again after 3 s', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    alice.say({ op: 'typing', to: bob.target })
    await bob.expects('typing')
    await new Promise((resolve) => setTimeout(resolve, 3_200))
    alice.say({ op: 'typing', to: bob.target })
    await bob.expects('typing')
  })

  test('to one user does not hold back that to another', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = await world.user('bob').connect(gw2)
    const carol = await world.user('carol').connect(gw2)
    alice.say({ op: 'typing', to: bob.target })
    alice.say({ op: 'typing', to: carol.target })
    await bob.expects('typing', { from: alice.id })
    await carol.expects('typing', { from: alice.id })
  })

  test('stays silent on success and is stored nowhere', async () => {
    const alice = await world.user('alice').connect(gw1)
    const bob = world.user('bob')
    alice.say({ op: 'typing', ref: 't', to: bob.target })
    await alice.ping()
    expect(alice.frames.filter((frame) => 'ref' in frame && frame.ref === 't')).toEqual([])
    const b = await bob.connect(gw2)
    const { messages, synced } = await b.sync({ inbox: '0-0' })
    expect(messages).toEqual([])
    expect(synced.convs.map((entry) => entry.conv)).not.toContain(dmOf(alice, bob))
  })

  test.each([['bob'], ['user:'], ['user:a b'], ['dm:a:b'], [undefined], [5], ['nothing:bob']])(
    'to %j is a bad_request that names the field',
    async (to) => {
      const alice = await world.user('alice').connect()
      expect(await alice.refused({ op: 'typing', to })).toMatchObject({ code: 'bad_request', field: 'to' })
    },
  )
})
