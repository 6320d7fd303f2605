/** Clocks that are wrong: one gateway is an hour ahead and later an hour behind, Redis' clock steps back by 10 s. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { Clock } from '../stage/clock.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'

const HOUR_MS = 3_600_000
const STEP_MS = -10_000
const PHASE_MS = { all: 8_000, quick: 2_000 }

let clocks: { redis: Clock; gateway: Clock } | undefined

export const fault: Fault = {
  number: 11,
  title: 'Clocks: one gateway an hour off, Redis 10 s back',
  scenes: [
    scene({
      name: 'one after the other',
      redis: () => {
        clocks = { redis: new Clock(), gateway: new Clock() }
        return SingleRedis.start({ env: clocks.redis.env })
      },
      trial: () => ({ envOf: (n) => (n === 0 ? clocks!.gateway.env : {}) }),
      end: () => {
        clocks?.redis.close()
        clocks?.gateway.close()
      },
      async act({ trial, redis, scale }) {
        const { redis: store, gateway } = clocks!
        const phase = scale.quick ? PHASE_MS.quick : PHASE_MS.all
        await sleep(phase)
        gateway.turn(HOUR_MS)
        await sleep(phase)
        store.turn(STEP_MS)
        const [seconds] = await redis.say((admin) => admin.time())
        trial.expect(Number(seconds) * 1e3 < Date.now() + STEP_MS / 2, 'the clock of Redis did not step')
        await sleep(phase)
        gateway.turn(-HOUR_MS)
        await sleep(phase)
        trial.figure('Redis stepped by', STEP_MS / 1e3, 's')
        trial.figure('one gateway off by', `+${HOUR_MS / 6e4}, then -${HOUR_MS / 6e4}`, 'min')
      },
    }),
  ],
}
