/** Clients that stop reading: they are closed, cost the gateways a bounded memory, and miss nothing in the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { WATCHERS } from '../load/load.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import type { Trial } from '../stage/trial.ts'

/** Groups whose members get stuck, but for those who write. */
const GROUPS = { all: 2, quick: 1 }
const WRITERS = 4
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
      // Who doesn't read doesn't know that they are offline: presence is judged from when all read again.
      act: ({ trial, scale }) =>
        trial.trouble(async () => {
          const { load } = trial
          const groups = [...load.groups].slice(1, 1 + (scale.quick ? GROUPS.quick : GROUPS.all))
          const usersOf = (pick: (members: string[]) => string[]) =>
            new Set(groups.flatMap(([, members]) => pick(members)))
          const [writing, reading] = [
            usersOf((members) => members.slice(0, WRITERS)),
            usersOf((members) => members.slice(WRITERS)),
          ]
          // What those are told late who watch presence would be late by us.
          const common = load.sdk.slice(WATCHERS)
          const stuck = common.filter(({ info }) => reading.has(info.user) && !writing.has(info.user))
          const slow = common
            .filter(({ info }) => !reading.has(info.user) && !writing.has(info.user))
            .slice(0, stuck.length)
          const writers = load.devices.filter(({ info }) => writing.has(info.user))
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
          const startedAt = performance.now()
          while (
            (await closed(trial, 4008, 1006)) < stuck.length &&
            performance.now() - startedAt < GIVE_UP_MS
          ) {
            for (const device of writers) {
              for (const [id, members] of groups) {
                if (members.includes(device.info.user) && device.pending < WRITERS)
                  load.send(device, `group:${id}`, LARGE)
              }
            }
            await sleep(20)
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
          trial.expect(peak < before + spareFor(stuck.length), `a gateway grew to ${megabytes(peak)} MiB`)
          const codes = stuck.flatMap(({ tap }) => tap.closes)
          trial.figure('of these, close frames with 4008 seen', codes.filter((code) => code === 4008).length)
          await load.settled(30_000)
        }),
    }),
  ],
}
