/** The network between one gateway and Redis is cut without a word, for a moment and for longer than the lease. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import { Wire } from '../stage/wire.ts'

/** The third is longer than the lease of 15 s. */
const CUTS_S = { all: [1, 10, 30], quick: [1, 17] }
const BETWEEN_MS = { all: 2_000, quick: 1_000 }

let wire: Wire | undefined

export const fault: Fault = {
  number: 6,
  title: 'The network between one gateway and Redis is cut, and heals',
  scenes: [
    scene({
      name: 'one gateway of three',
      redis: () => SingleRedis.start(),
      trial: async (redis) => {
        const made = await Wire.start({ host: '127.0.0.1', port: redis.port })
        wire = made
        return { envOf: (n) => (n === 0 ? { REDIS_URL: made.url } : {}) }
      },
      end: () => wire?.close(),
      async act({ trial, scale }) {
        const [behind] = trial.gateways
        for (const seconds of scale.quick ? CUTS_S.quick : CUTS_S.all) {
          await sleep(scale.quick ? BETWEEN_MS.quick : BETWEEN_MS.all)
          await trial.trouble(async () => {
            wire!.cut()
            await sleep(seconds * 1_000)
            wire!.heal()
            await behind!.ready()
            // Whoever sat behind the cut has to come back: their node may have lost its lease.
            await trial.load.settled(30_000)
          })
        }
        trial.figure('cuts', (scale.quick ? CUTS_S.quick : CUTS_S.all).join(', '), 's')
        const lost = behind!.output.split('lease').length - 1
        trial.figure('lines about the lease in the log of that gateway', lost)
      },
    }),
  ],
}
