/**
 * The master dies with writes that no replica has: with `DURABILITY=replica` none of them was acked, with `async` what is
 * lost is counted, and nothing else is wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Scene } from '../fault.ts'
import { scene } from '../stage/scene.ts'
import { SentinelRedis } from '../stage/sentinel.ts'

/** So long replicas hear nothing before their master dies, ms. */
const UNHEARD_MS = 400
/** The load before and after, ms. */
const AROUND_MS = { all: 3_000, quick: 1_000 }

const failover = (durability: 'replica' | 'async'): Scene =>
  scene({
    name: `DURABILITY=${durability}`,
    mayLose: durability === 'async' ? 'acked' : 'unacked',
    redis: () => SentinelRedis.start(),
    trial: () => ({ env: { DURABILITY: durability } }),
    async act({ trial, redis, scale }) {
      const aroundMs = scale.quick ? AROUND_MS.quick : AROUND_MS.all
      await sleep(aroundMs)
      const startedAt = performance.now()
      await trial.trouble(async () => {
        await redis.killMaster(UNHEARD_MS)
        await trial.allReady()
        trial.figure(
          'until all gateways were ready on another master',
          Math.round(performance.now() - startedAt),
          'ms',
        )
        await redis.oldMasterBack()
        await trial.allReady()
        await trial.load.settled(60_000)
      })
      await sleep(aroundMs)
      trial.figure('replicas heard nothing before the kill for', UNHEARD_MS, 'ms')
    },
  })

export const fault: Fault = {
  number: 4,
  title: 'Sentinel failover: the master killed',
  scenes: [failover('replica'), failover('async')],
}
