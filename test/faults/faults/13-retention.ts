/** Devices that were away for longer than the inbox and the logs reach back: they are told, and reload. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { WATCHERS } from '../load/load.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'

/** Small enough to be passed in a moment; Redis keeps up to a node of its stream (100 entries) more. */
const KEPT = { inbox: '20', log: '300' }
const AWAY = { all: 20, quick: 4 }
/** Messages to each who is away, beyond the load's. */
const MISSED = { all: 200, quick: 60 }
/** Messages that one group gets beyond what its log keeps. */
const BUSY = { all: 600, quick: 450 }
const GAP_MS = 20

export const fault: Fault = {
  number: 13,
  title: 'An inbox and a log past their retention',
  scenes: [
    scene({
      name: 'devices away for too long',
      redis: () => SingleRedis.start({ settings: { 'stream-node-max-entries': '10' } }),
      trial: () => ({ env: { INBOX_MAXLEN: KEPT.inbox, LOG_MAXLEN: KEPT.log, SEND_RATE: '1000' } }),
      async act({ trial, scale }) {
        const { load } = trial
        const [group, members] = [...load.groups][0]!
        // Second devices stay: what the first ones miss has been received by somebody.
        const inGroup = load.sdk.filter(({ info }, n) => n >= WATCHERS && members.includes(info.user))
        const others = load.sdk.filter((device, n) => n >= WATCHERS && n < 60 && !inGroup.includes(device))
        const away = [...inGroup.slice(0, 4), ...others].slice(0, scale.quick ? AWAY.quick : AWAY.all)
        await load.settled(10_000, away)
        const back = Promise.withResolvers<void>()
        const returning = away.map((device) => device.restart(back.promise))
        const writers = load.sdk.filter((device) => !away.includes(device))
        for (let n = 0; n < (scale.quick ? MISSED.quick : MISSED.all); n++) {
          for (const [at, { info }] of away.entries()) {
            const writer = writers[(at * 3 + n) % writers.length]!
            load.send(writer, `user:${info.user}`)
          }
          await sleep(GAP_MS)
        }
        const groupWriters = writers.filter(({ info }) => members.includes(info.user))
        for (let n = 0; n < (scale.quick ? BUSY.quick : BUSY.all); n++) {
          load.send(groupWriters[n % groupWriters.length]!, `group:${group}`)
          await sleep(GAP_MS / 4)
        }
        await load.settled(30_000, writers)
        back.resolve()
        await Promise.all(returning)
        await load.settled(30_000)
        const told = away.filter(({ reloads }) => reloads > 0).length
        trial.figure('devices away', away.length)
        trial.figure('told to reload', told)
        trial.expect(told === away.length, `only ${told} of ${away.length} were told that something is gone`)
      },
    }),
  ],
}
