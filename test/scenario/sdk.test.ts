/** Applications on the SDK while gateways die, leave and come back under load: nothing is lost, doubled or out of order. */
import { expect, test } from 'vitest'
import { dmOf, until, type World, worldFor } from '../support/harness.ts'
import { expectAllShown, Person } from './support/sdk-crowd.ts'

/** How many people talk, and how much of it is heard before the next thing happens. */
const PEOPLE = 6
const MEANWHILE = 200
const LIMIT_MS = 120_000

interface Talk {
  world: World
  /** Waits until people have got so much further. */
  goesOn(): Promise<unknown>
}

/** Lets people talk in two groups, a channel and dms while something happens, and looks at what they were shown. */
async function talkWhile(
  context: { onTestFinished: (end: () => Promise<void>) => void },
  happens: (talk: Talk) => Promise<void>,
): Promise<Person[]> {
  const world = await worldFor(context, { gateways: 3, env: { DRAIN_SECONDS: '2' } })
  const people = Array.from({ length: PEOPLE }, (_, n) => new Person(world, `person${n}`))
  context.onTestFinished(async () => void (await Promise.all(people.map(({ client }) => client.close()))))
  await Promise.all(people.map((person) => person.arrive()))
  const owner = world.userCalled(people[0]!.id)
  const all = await owner.createGroup({ members: people.slice(1) })
  const some = await owner.createGroup({ members: people.slice(1, 3) })
  const channel = 'channel:lobby'
  const concerned = new Map<string, Person[]>([
    [all.conv, people],
    [some.conv, people.slice(0, 3)],
    [channel, people],
  ])
  const end = new AbortController()
  const talking = people.map((person, n) => {
    const friend = people[(n + 1) % PEOPLE]!
    concerned.set(dmOf(person, friend), [person, friend])
    const targets = [all.target, channel, `user:${friend.id}`, ...(n < 3 ? [some.target] : [])]
    return person.talk(targets, end.signal)
  })
  const acked = () => people.reduce((sum, person) => sum + person.acked.length, 0)
  const goesOn = () => {
    const before = acked()
    return until(async () => acked() >= before + MEANWHILE, 30_000, 'the talk goes on')
  }
  await goesOn()
  await happens({ world, goesOn }).finally(() => end.abort())
  await Promise.all(talking)
  await expectAllShown(world, people, concerned)
  for (const { reloads, errors } of people) expect([reloads, errors]).toEqual([[], []])
  return people
}

test('[P1] [P2] [P3] gateways killed under load: one is back before the next one goes', {
  timeout: LIMIT_MS,
}, async (context) => {
  const people = await talkWhile(context, async ({ world, goesOn }) => {
    for (const gateway of world.cluster.nodes.slice(1)) {
      await gateway.kill('SIGKILL')
      await goesOn()
      await gateway.restart()
      await goesOn()
    }
  })
  expect(people.flatMap(({ closes }) => closes).filter((code) => code === 1006)).not.toEqual([])
})

test('[P1] [P2] [P3] a rolling restart under load: each gateway drains, goes and comes back', {
  timeout: LIMIT_MS,
}, async (context) => {
  const people = await talkWhile(context, async ({ world, goesOn }) => {
    for (const gateway of world.cluster.nodes) {
      expect(await gateway.stop(), gateway.tail).toEqual({ code: 0, signal: null })
      await gateway.restart()
      await goesOn()
    }
  })
  const codes = people.flatMap(({ closes }) => closes)
  expect(new Set(codes), 'nobody was cut off').toEqual(new Set([1012]))
})
