/**
 * One Redis in all kinds of trouble: restarted, frozen, its live feeds cut, flooded, and silent while every command is
 * answered.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../fault.ts'
import { SingleRedis } from '../stage/redis.ts'
import { scene } from '../stage/scene.ts'
import type { Trial } from '../stage/trial.ts'
import { Wire } from '../stage/wire.ts'

const FROZEN_MS = 20_000
/** A silent feed is found so soon. */
const FOUND_MS = 3_000
const LOOK_MS = 20
/** Texts for the flood, characters; a few of them at once are more than the limit. */
const LARGE = 12_000
const FLOOD_LIMIT = 'pubsub 24kb 0 0'
const NO_LIMIT = 'pubsub 32mb 8mb 60'

let wire: Wire | undefined

/** How often a gateway has logged that a feed broke. */
const breaks = (trial: Trial) =>
  trial.gateways.reduce((sum, { output }) => sum + output.split('bus: feed lost').length - 1, 0)

async function killFeeds(trial: Trial, redis: SingleRedis, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await redis.say((admin) => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))
    await sleep(1_000)
  }
  trial.figure('times all live feeds were killed', times)
}

/** Fills the output buffers of the feeds beyond their limit, with nothing but messages. */
async function flood(trial: Trial, redis: SingleRedis): Promise<void> {
  const before = breaks(trial)
  await redis.say((admin) => admin.config('SET', 'client-output-buffer-limit', FLOOD_LIMIT))
  const [group, members] = [...trial.load.groups][0]!
  const writers = trial.load.sdk.filter(({ info }) => members.includes(info.user))
  const others = [...trial.load.groups.keys()]
  for (let round = 0; round < 10 && breaks(trial) === before; round++) {
    for (const device of writers) trial.load.send(device, `group:${group}`, LARGE)
    for (const id of others) {
      const writer = trial.load.sdk.find(({ info }) => trial.load.groups.get(id)!.includes(info.user))!
      trial.load.send(writer, `group:${id}`, LARGE)
    }
    await sleep(1_000)
  }
  await redis.say((admin) => admin.config('SET', 'client-output-buffer-limit', NO_LIMIT))
  trial.figure('feeds that Redis closed for their output buffer', breaks(trial) - before)
  trial.expect(breaks(trial) > before, 'no feed reached its output-buffer limit')
}

/** Holds back what one gateway's feed hears. @returns ms until the gateway knew */
async function silence(trial: Trial): Promise<number> {
  const gateway = trial.gateways[0]!
  const known = gateway.output.length
  const startedAt = performance.now()
  wire?.muteFeeds()
  const hasFound = () => gateway.output.slice(known).includes('canary: the feed is silent')
  while (!hasFound() && performance.now() - startedAt < 4 * FOUND_MS) await sleep(LOOK_MS)
  return performance.now() - startedAt
}

export const fault: Fault = {
  number: 3,
  title: 'Redis restarted, frozen, its feeds killed, flooded and silently dead',
  scenes: [
    scene({
      name: 'one after the other',
      redis: () => SingleRedis.start(),
      trial: async (redis) => {
        const made = await Wire.start({ host: '127.0.0.1', port: redis.port })
        wire = made
        return { envOf: (n) => (n === 0 ? { REDIS_URL: made.url } : {}) }
      },
      end: () => wire?.close(),
      async act({ trial, redis, scale }) {
        await sleep(1_000)
        await trial.trouble(async () => {
          await redis.down()
          await sleep(500)
          await redis.up()
          await trial.allReady()
        })
        await killFeeds(trial, redis, scale.quick ? 2 : 5)
        await trial.allReady()
        await flood(trial, redis)
        await trial.allReady()

        const found: number[] = []
        for (let n = 0; n < (scale.quick ? 1 : 3); n++) {
          await sleep(500)
          found.push(await silence(trial))
          await trial.allReady()
        }
        const latest = Math.round(Math.max(...found))
        trial.figure('silent feed found after at most', latest, 'ms')
        trial.expect(latest <= FOUND_MS, `a silent feed was found only after ${latest} ms`)

        const frozenMs = scale.quick ? FROZEN_MS / 4 : FROZEN_MS
        await trial.trouble(async () => {
          redis.signal('SIGSTOP')
          await sleep(frozenMs)
          redis.signal('SIGCONT')
          await trial.allReady()
        })
        trial.figure('frozen for', frozenMs / 1e3, 's')
      },
    }),
  ],
}
