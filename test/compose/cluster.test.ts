/** The cluster of `docker compose up`: three gateways behind HAProxy, and what happens to it in its life. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { docker } from './support/docker.ts'
import { IMAGE } from './support/images.ts'
import type { Person } from './support/person.ts'
import { Stack } from './support/stack.ts'
import { Traffic } from './support/traffic.ts'
import { until } from './support/until.ts'

/** A client whose gateway has died is back after at most so long, ms. */
const BACK_MS = 5_000
/** A dead gateway's lease ends after 15 s and is looked for every second. */
const BURIED_MS = 60_000

let stack: Stack
beforeAll(async () => {
  stack = await Stack.up()
  await stack.balanced(3)
})
beforeEach(({ onTestFailed }) => onTestFailed(async () => console.error(await stack.words())))
afterAll(() => stack?.down())

/** Everybody, so that neighbours are on different gateways. */
function mixed(people: Map<string, Person[]>): Person[] {
  const rows = [...people.values()]
  return [0, 1].flatMap((row) => rows.map((here) => here[row])).filter((person) => person !== undefined)
}

async function twoOnEach(): Promise<Person[]> {
  const [first, second] = [await stack.peopleEverywhere(), await stack.peopleEverywhere()]
  return mixed(new Map([...first].map(([node, [one]]) => [node, [one!, second.get(node)![0]!]])))
}

const NOTHING_LOST = { refused: [], missing: 0 }

describe('the front', () => {
  it('serves the page and the gateways, and keeps their metrics to itself', async () => {
    const page = await fetch(stack.front)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain('<div id="app">')
    expect((await fetch(`${stack.front}/readyz`)).status).toBe(200)
    expect((await fetch(`${stack.front}/metrics`)).status).toBe(404)
  })

  it('tells gateways the real address of a client, whatever the client says', async () => {
    const user = 'somebody-in-a-container'
    const script = `
      const [host, token] = process.argv.slice(1)
      const socket = new WebSocket('ws://' + host + ':8080/ws', 'starling.v1')
      socket.onopen = () => socket.send(JSON.stringify({ op: 'hello', token, device: 'd' }))
      socket.onmessage = ({ data }) => {
        const { op, session, node } = JSON.parse(data)
        if (op !== 'welcome') process.exit(1)
        const own = Object.values(os.networkInterfaces()).flat().find(({ internal, family }) => !internal && family === 'IPv4')
        console.log(JSON.stringify({ session, node, address: own.address }))
        process.exit()
      }`
    const options = ['--rm', '--network', stack.network, '--entrypoint', 'node']
    const said = await docker(['run', ...options, IMAGE, '-e', script, 'haproxy', stack.token(user)])
    const { session, node, address } = JSON.parse(said) as { session: string; node: string; address: string }
    const entry = await until('the session in the log', 5_000, async () =>
      (await stack.log(node)).find((line) => line['session'] === session),
    )
    expect(entry).toMatchObject({ msg: 'session begins', user, address })
  })
})

describe('people on all gateways', () => {
  it('write to each other, in pairs and in a group, and see who is there', async () => {
    const people = [...(await stack.peopleEverywhere()).values()].flatMap(([one]) => one!)
    const [alice, bob, carol] = people as [Person, Person, Person]
    expect(new Set([alice.node, bob.node, carol.node]).size).toBe(3)

    for (const to of [bob, carol]) await to.hears(await alice.send(to.target, 'hello'))

    const members = [bob.id, carol.id]
    const group = await stack.api(alice.id).createGroup({ name: 'everywhere', members })
    const ack = await carol.send(`group:${group.id}`, 'hello all')
    await Promise.all(people.map((person) => person.hears(ack)))

    const { on, off } = await alice.client.watch([bob.id, carol.id, 'nobody'])
    expect({ on: on.sort(), off }).toEqual({ on: members.sort(), off: ['nobody'] })
    await bob.leave()
    await alice.sees('bob go', () => alice.presence.some(({ user, on }) => user === bob.id && !on))
  })
})

describe('a gateway', () => {
  it('that is killed costs its people less than 5 s and no message, and others notice nothing', async () => {
    const people = await twoOnEach()
    const dead = people[0]!.node
    const victims = people.filter(({ node }) => node === dead)
    const others = people.filter(({ node }) => node !== dead)
    await Promise.all(others.map(({ client }) => client.watch(victims.map(({ id }) => id))))
    const traffic = await Traffic.among(people)
    await traffic.flows(100)
    for (const person of people) person.forgetThePast()

    const since = performance.now()
    await docker(['kill', '--signal', 'KILL', dead])
    await Promise.all(
      victims.map((victim) => victim.sees('a new gateway', () => victim.states.at(-1)?.state === 'live')),
    )
    const backMs = victims.map(({ states }) => Math.round(states.at(-1)!.at - since))
    console.log(`back after ${backMs.join(', ')} ms`)
    expect(Math.max(...backMs)).toBeLessThan(BACK_MS)
    for (const { node } of victims) expect(node).not.toBe(dead)

    // Its burial takes nobody offline who is somewhere else by now.
    await until('the dead one buried', BURIED_MS, async () => !(await stack.nodes()).includes(dead))
    const account = await traffic.account()
    console.log(account)
    expect(account).toMatchObject(NOTHING_LOST)
    expect(others.flatMap(({ states }) => states)).toEqual([])
    expect(others.flatMap(({ presence }) => presence)).toEqual([])

    await docker(['start', dead])
    await stack.balanced(3)
  })

  it('that gets SIGTERM as process 1 sends its people away, loses nothing and ends with 0', async () => {
    const people = await twoOnEach()
    const leaving = people[0]!.node
    const traffic = await Traffic.among(people)
    await traffic.flows(50)
    await docker(['stop', leaving])
    await Promise.all(people.map((person) => person.live()))
    expect(people.map(({ node }) => node)).not.toContain(leaving)
    expect(await traffic.account()).toMatchObject(NOTHING_LOST)
    expect(await docker(['inspect', '--format', '{{.State.ExitCode}}', leaving])).toBe('0\n')
    await docker(['start', leaving])
    await stack.balanced(3)
  })
})

describe('the cluster', () => {
  it('grows from three to five and shrinks again, without an edit and without a failed send', async () => {
    const traffic = await Traffic.among(await twoOnEach())
    await traffic.flows(50)
    await stack.scale(5)
    const everywhere = await stack.peopleEverywhere()
    expect(everywhere.size).toBe(5)
    await stack.scale(3)
    await traffic.flows(50)
    expect(await traffic.account()).toMatchObject(NOTHING_LOST)
    const left = await stack.gateways()
    for (const person of [...everywhere.values()].flat()) {
      await person.live()
      expect(left).toContain(person.node)
    }
  })

  it('is replaced gateway by gateway without a failed send', async () => {
    const before = await stack.gateways()
    const traffic = await Traffic.among(await twoOnEach())
    await traffic.flows(50)
    await stack.roll()
    await stack.balanced(3)
    await traffic.flows(50)
    const account = await traffic.account()
    console.log(account)
    expect(account).toMatchObject(NOTHING_LOST)
    const after = await stack.gateways()
    expect(after).toHaveLength(3)
    expect(after.filter((gateway) => before.includes(gateway))).toEqual([])
  })

  it('goes on after Redis has restarted: lines stay, what waited is sent, nothing is lost', async () => {
    const people = await twoOnEach()
    const early = await people[0]!.send(people[1]!.target, 'before')
    const traffic = await Traffic.among(people)
    await traffic.flows(50)
    for (const person of people) person.forgetThePast()
    await stack.compose('restart', 'redis')
    await traffic.flows(100)
    const account = await traffic.account()
    console.log(account)
    expect(account).toMatchObject(NOTHING_LOST)
    expect(people.flatMap(({ states }) => states).map(({ state }) => state)).toEqual([])
    const { messages } = await stack.api(people[0]!.id).messages(early.conv, { limit: 100, at: 0 })
    expect(messages.map(({ id }) => id)).toContain(early.id)
    await stack.balanced(3)
  })
})
