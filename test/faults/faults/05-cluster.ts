/** Redis Cluster: a master dies and its replica takes over; slots of live conversations move to another master. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts'
import type { Fault } from '../fault.ts'
import { busySlots, moveSlot } from '../stage/move-slots.ts'
import { scene } from '../stage/scene.ts'

const MASTERS = 3
const SLOTS = { all: 60, quick: 10 }
const BEFORE_MS = 2_000

export const fault: Fault = {
  number: 5,
  title: 'Redis Cluster: slots moved, a master killed',
  scenes: [
    scene<RedisCluster>({
      name: '3 masters, 3 replicas, DURABILITY=replica',
      mayLose: 'unacked',
      redis: () => startRedisCluster({ masters: MASTERS, replicasPerMaster: 1 }),
      trial: () => ({ env: { DURABILITY: 'replica' } }),
      async act({ trial, redis, scale }) {
        const masters = redis.nodes.slice(0, MASTERS).map(({ port }) => port)
        await sleep(BEFORE_MS)
        const [from, to] = [masters[0]!, masters[1]!]
        const slots = await busySlots(from, scale.quick ? SLOTS.quick : SLOTS.all)
        let keys = 0
        for (const slot of slots) keys += await moveSlot(slot, { from, to, masters })
        trial.figure('slots moved while in use', slots.length)
        trial.figure('keys in them', keys)
        trial.expect(slots.length > 0 && keys > 0, 'nothing was moved')
        await trial.allReady()

        const startedAt = performance.now()
        const dying = redis.nodes[2]!
        await trial.trouble(async () => {
          await dying.kill()
          // Its replica takes over; with its return there is a replica to wait for again.
          await trial.allReady()
          trial.figure(
            'until all gateways were ready after the kill',
            Math.round(performance.now() - startedAt),
            'ms',
          )
          await dying.up()
          await redis.settled()
          await trial.allReady()
          await trial.load.settled(60_000)
        })
        await sleep(BEFORE_MS)
      },
    }),
  ],
}
