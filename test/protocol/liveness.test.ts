/** What only waiting shows: who doesn't say hello, who falls silent, and who is kept. Runs side by side. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { useWorld } from '../support/harness.ts'

const world = await useWorld({ gateways: 1 })
const { gw1 } = world

describe.concurrent('a connection', () => {
  test('that says no hello within 10 s is closed with 4002', async () => {
    const since = Date.now()
    const line = await world.open(gw1)
    expect((await line.closes()).code).toBe(4002)
    expect(Date.now() - since).toBeGreaterThan(9_000)
    expect(Date.now() - since).toBeLessThan(14_000)
  })

  test('whose hello is only ever wrong is closed with 4002 as well', async () => {
    const line = await world.open(gw1)
    await line.refused({ op: 'hello', token: world.user('alice').token(), device: 'not a device' })
    expect((await line.closes()).code).toBe(4002)
  })

  test('from which nothing comes, not even pongs, is dropped after 60 s', { timeout: 90_000 }, async () => {
    const silent = await world.user('silent').connect(gw1, { wire: { autoPong: false } })
    const since = Date.now()
    await silent.closed
    expect(Date.now() - since).toBeGreaterThan(50_000)
    expect(Date.now() - since).toBeLessThan(75_000)
  })

  test('that answers the pings of the server is kept, however silent it is', {
    timeout: 90_000,
  }, async () => {
    const quiet = await world.user('quiet').connect(gw1)
    let pings = 0
    quiet.socket.on('ping', () => {
      pings++
    })
    await sleep(70_000)
    expect(quiet.end).toBeUndefined()
    expect(pings).toBeGreaterThan(0)
    await quiet.ping()
  })

  test('that can only send ping frames is kept by them', { timeout: 90_000 }, async () => {
    const browser = await world.user('browser').connect(gw1, { wire: { autoPong: false } })
    for (let n = 0; n < 3; n++) {
      await sleep(23_000)
      await browser.ping()
    }
    expect(browser.end).toBeUndefined()
  })
})
