/** Clients that stop reading: they are closed, cost the gateways a bounded memory, and miss nothing in the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import type { Trial } from '../stage/trial.ts'

const STUCK = { all: 40, quick: 16 }
/** Characters of a text: what the kernel takes for a peer that doesn't read is filled soon. */
const LARGE = 14_000
/** What a slow one doesn't read for, and then reads for, ms. */
const SLOW_MS = { rests: 400, reads: 40 }
const MAX_BUFFER_BYTES = 256 * 1024
/** What a gateway may hold for all who are stuck, beyond what it has anyway: their buffers twice over, and garbage. */
const spareFor = (stuck: number) => 2 * stuck * MAX_BUFFER_BYTES + 128 * 1024 * 1024
const GIVE_UP_MS = 60_000

/** Looks at the gateways' memory again and again. @returns a function that ends it, and says the highest, bytes */
function watchMemory(trial: Trial): { first: Promise<number>; end: () => Promise<number> } {
  let highest = 0
  let isOver = false
  const look = async () => {
    const sizes = await Promise.all(
      trial.gateways.map((gateway) => trial.metric(gateway, 'process_resident_memory_bytes').catch(() => 0)),
    )
    highest = Math.max(highest, ...sizes)
    return Math.max(...sizes)
  }
  const first = look()
  const going = (async () => {
    while (!isOver) {
      await look()
      await sleep(500)
    }
  })()
  return {
    first,
    end: async () => {
      isOver = true
      await going
      return highest
    },
  }
}

/** @returns how many connections the gateways have closed with these codes */
async function closed(trial: Trial, ...codes: number[]): Promise<number> {
  const counts = await Promise.all(
    trial.gateways.flatMap((gateway) =>
      codes.map((code) => trial.metric(gateway, `starling_closes_total{code="${code}"}`)),
    ),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

export const fault: Fault = {
  number: 7,
  title: 'Clients that stop reading, and clients that read slowly',
  scenes: [
    scene({
      name: 'stuck and slow',
      redis: () => SingleRedis.start(),
      trial: () => ({ env: { MAX_BUFFER_BYTES: String(MAX_BUFFER_BYTES) } }),
      async act({ trial, scale }) {
        const { load } = trial
        const count = scale.quick ? STUCK.quick : STUCK.all
        // The first three watch presence; what they are told late is late by us.
        const stuck = load.devices.slice(3, 3 + count)
        const slow = load.devices.slice(3 + count, 3 + count + count / 2)
        const memory = watchMemory(trial)
        const before = await memory.first
        const closedBefore = await closed(trial, 4008)
        const sockets = stuck.map(({ tap }) => tap.socket!)
        for (const socket of sockets) socket.pause()
        let isOver = false
        const dawdling = Promise.all(
          slow.map(async ({ tap }) => {
            while (!isOver) {
              tap.socket?.pause()
              await sleep(SLOW_MS.rests)
              if (tap.socket?.isPaused) tap.socket.resume()
              await sleep(SLOW_MS.reads)
            }
          }),
        )
        const writers = load.devices.filter((device) => !stuck.includes(device) && !slow.includes(device))
        const startedAt = performance.now()
        const enough = () => stuck.length
        while ((await closed(trial, 4008, 1006)) < enough() && performance.now() - startedAt < GIVE_UP_MS) {
          // To everybody who is stuck, and to all.
          for (const [n, { info }] of stuck.entries()) {
            const writer = writers[(n * 7) % writers.length]!
            load.send(writer, `user:${info.user}`, LARGE)
          }
          load.send(writers[0]!, 'channel:lobby', LARGE)
          await sleep(100)
        }
        const seconds = Math.round((performance.now() - startedAt) / 1e3)
        trial.figure('clients that stopped reading', stuck.length)
        trial.figure('slow ones', slow.length)
        trial.figure('closed with 4008', (await closed(trial, 4008)) - closedBefore)
        trial.figure('until all who were stuck had been closed', seconds, 's')
        trial.expect(performance.now() - startedAt < GIVE_UP_MS, 'not all who were stuck were closed')
        isOver = true
        await dawdling
        for (const socket of sockets) socket.resume()
        const peak = await memory.end()
        const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20)
        trial.figure('gateway memory before', megabytes(before), 'MiB')
        trial.figure('gateway memory, peak', megabytes(peak), 'MiB')
        trial.expect(peak < before + spareFor(count), `a gateway grew to ${megabytes(peak)} MiB`)
        const codes = stuck.flatMap(({ tap }) => tap.closes)
        trial.figure('of these, close frames with 4008 seen', codes.filter((code) => code === 4008).length)
      },
    }),
  ],
}
