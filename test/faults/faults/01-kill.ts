/**
 * Gateways die without a word: one at a time, two at once, and in the very moment between a message being stored and
 * the gateway hearing of it. On a single Redis a dm is stored and put into the inboxes by one script; in a cluster these
 * are two calls, and gateways die between them as well.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { appendDm } from '../../../src/store/scripts/conv/append-dm.ts'
import { deliverDm } from '../../../src/store/scripts/user/deliver.ts'
import type { Gateway } from '../../support/harness-gateway.ts'
import type { Fault } from '../fault.ts'
import { portsOf } from '../stage/ports-of.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import type { Trial } from '../stage/trial.ts'
import { Wire } from '../stage/wire.ts'
import { WiredCluster } from '../stage/wired-cluster.ts'

const callOf = ({ lua }: { lua: string }) => createHash('sha1').update(lua).digest('hex')
/** What a gateway says to have dms stored. */
const STORES = callOf(appendDm)
/** And, in a cluster, once they are, to have them put into inboxes: the first one's ref is caught. */
const DELIVERS = new RegExp(`${callOf(deliverDm)}.*?"ref":"([^"]+)"`, 's')
/** Redis has done by then what it was told, ms. */
const STORED_MS = 50
const BETWEEN_MS = 700

/** The n-th gateway's way to Redis, on a single one. */
const wires: Wire[] = []

/**
 * Ends whichever gateway is the next to have a dm stored, when it has been and before the gateway knows: nothing it says
 * to clients tells. @returns the gateway
 */
async function killBetween(trial: Trial): Promise<Gateway> {
  const { promise: caught, resolve } = Promise.withResolvers<number>()
  for (const [n, wire] of wires.entries()) {
    wire.look = (chunk) => {
      if (!chunk.includes(STORES)) return
      for (const one of wires) one.look = undefined
      wire.mute()
      resolve(n)
    }
  }
  const gateway = trial.gateways[await caught]!
  await sleep(STORED_MS)
  await trial.kill(gateway)
  return gateway
}

/**
 * Ends whichever gateway is the next to have a stored dm delivered, instead of letting it: no inbox hears of it.
 * @returns the gateway, and the dm's ref
 */
async function killUndelivered(trial: Trial, lines: readonly Wire[]): Promise<[Gateway, string]> {
  const { promise: caught, resolve, reject } = Promise.withResolvers<[Gateway, string]>()
  const look = (chunk: Buffer, port: number) => {
    const [, ref] = DELIVERS.exec(chunk.toString('latin1')) ?? []
    if (ref === undefined) return
    for (const line of lines) line.look = undefined
    for (const gateway of trial.gateways) {
      const ports = portsOf(gateway.pid)
      if (!ports.has(port)) continue
      const killed = trial.kill(gateway)
      // Its other lines may hold the delivery to the sender.
      for (const line of lines) line.end(ports)
      return void killed.then(() => resolve([gateway, ref]), reject)
    }
    reject(new Error(`no gateway speaks from port ${port}`))
  }
  for (const line of lines) line.look = look
  return caught
}

export const fault: Fault = {
  number: 1,
  title: '`kill -9` of gateways, also between storing, delivering and acking',
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
          const gateway = await killBetween(trial)
          await gateway.restart()
        }
        trial.figure('gateways killed', rounds.one + 2 * rounds.two + rounds.between)
        trial.figure('of them between storing and acking', rounds.between)
      },
    }),
    scene({
      name: 'in a cluster, between storing and delivering',
      redis: () => WiredCluster.start(),
      async act({ trial, redis, scale }) {
        const refs: string[] = []
        for (let n = 0; n < (scale.quick ? 2 : 8); n++) {
          await sleep(BETWEEN_MS)
          const [gateway, ref] = await killUndelivered(trial, redis.wires)
          refs.push(ref)
          await gateway.restart()
        }
        await trial.load.settled(30_000)
        const { records } = trial.load.recorder
        const acks = refs.map((ref) => records.filter((record) => record.is === 'ack' && record.ref === ref))
        trial.figure('gateways killed between storing and delivering', refs.length)
        for (const [n, list] of acks.entries()) {
          // Stored before the kill, acked after it; the checker sees whether it came to its readers.
          const isRepeated = list.length === 1 && list.every((ack) => ack.is === 'ack' && ack.dup)
          trial.expect(isRepeated, `${refs[n]}: not acked once, as sent before, but ${JSON.stringify(list)}`)
        }
      },
    }),
  ],
}
