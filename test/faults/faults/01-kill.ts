/**
 * Gateways die without a word: one at a time, two at once, and in the very moment between a message being stored and
 * the gateway hearing of it. (On a single Redis a dm is stored and put into the inboxes by one script.)
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { appendDm } from '../../../src/store/scripts/conv/append-dm.ts'
import type { Gateway } from '../../support/harness-gateway.ts'
import type { Fault } from '../fault.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import type { Trial } from '../stage/trial.ts'
import { Wire } from '../stage/wire.ts'

/** What a gateway says to have dms stored. */
const STORES = Buffer.from(createHash('sha1').update(appendDm.lua).digest('hex'))
/** Redis has done by then what it was told, ms. */
const STORED_MS = 50
const BETWEEN_MS = 700

const wires: Wire[] = []

/** Ends a gateway when a dm that came by it has been stored, and before it knows: nothing it says to clients tells. */
async function killBetween(trial: Trial, gateway: Gateway, wire: Wire): Promise<void> {
  const { promise: caught, resolve } = Promise.withResolvers<void>()
  wire.look = (chunk) => {
    if (!chunk.includes(STORES)) return
    wire.look = undefined
    wire.mute()
    resolve()
  }
  await caught
  await sleep(STORED_MS)
  await trial.kill(gateway)
}

export const fault: Fault = {
  number: 1,
  title: '`kill -9` of gateways, also between storing and acking',
  scenes: [
    scene({
      name: 'one, two, and in between',
      redis: () => SingleRedis.start(),
      trial: async (redis) => {
        for (let n = 0; n < 3; n++) wires.push(await Wire.start({ host: '127.0.0.1', port: redis.port }))
        return { envOf: (n) => ({ REDIS_URL: wires[n]!.url }) }
      },
      end: () => {
        for (const wire of wires.splice(0)) wire.close()
      },
      async act({ trial, scale }) {
        const { gateways } = trial
        const rounds = scale.quick ? { one: 1, two: 1, between: 2 } : { one: 6, two: 2, between: 6 }
        for (let n = 0; n < rounds.one; n++) {
          await sleep(BETWEEN_MS)
          await trial.kill(gateways[n % 3]!)
          await gateways[n % 3]!.restart()
        }
        for (let n = 0; n < rounds.two; n++) {
          await sleep(BETWEEN_MS)
          const both = [gateways[n % 3]!, gateways[(n + 1) % 3]!]
          await Promise.all(both.map((gateway) => trial.kill(gateway)))
          await Promise.all(both.map((gateway) => gateway.restart()))
        }
        for (let n = 0; n < rounds.between; n++) {
          await sleep(BETWEEN_MS)
          await killBetween(trial, gateways[n % 3]!, wires[n % 3]!)
          await gateways[n % 3]!.restart()
        }
        trial.figure('gateways killed', rounds.one + 2 * rounds.two + rounds.between)
        trial.figure('of them between storing and acking', rounds.between)
      },
    }),
  ],
}
