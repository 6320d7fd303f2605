/** What holds on every kind of Redis behind the cluster. */
import { expect } from 'vitest'
import type { Stack } from '../support/stack.ts'
import { Traffic } from '../support/traffic.ts'

/** Someone on each gateway writes to the next, and all of them hear what one says to their group. */
export async function talksEverywhere(stack: Stack): Promise<void> {
  const people = [...(await stack.peopleEverywhere()).values()].map(([one]) => one!)
  for (const [index, from] of people.entries()) {
    const to = people[(index + 1) % people.length]!
    await to.hears(await from.send(to.target, 'hello'))
  }
  const [first] = people
  const members = people.slice(1).map(({ id }) => id)
  const { id } = await stack.api(first!.id).createGroup({ name: 'everywhere', members })
  const ack = await people.at(-1)!.send(`group:${id}`, 'hello all')
  await Promise.all(people.map((person) => person.hears(ack)))
}

/** Messages go on while `strike` is done to Redis: sends wait for as long as they have to, what was acked comes. */
export async function survives(stack: Stack, strike: () => Promise<unknown>): Promise<void> {
  const traffic = await Traffic.among([...(await stack.peopleEverywhere()).values()].map(([one]) => one!))
  await traffic.flows(50)
  await strike()
  await traffic.flows(300)
  await stack.balanced(3)
  const account = await traffic.account()
  console.log(account)
  // A master hands a write to its replicas in the same turn as it answers: one that is killed, its machine and network
  // still there, takes nothing acked with it.
  expect(account).toMatchObject({ refused: [], missing: 0 })
}
