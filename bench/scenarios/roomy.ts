/**
 * A user with hundreds of conversations connects: how many round trips to Redis it takes until the welcome, and until
 * all that was missed and the list of conversations are there, and how long Redis works for it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { withGenerators } from '../lib/generator.ts'
import type { Sample } from '../lib/outcome.ts'
import { openTap, type Tap } from '../lib/tap.ts'
import type { ConnectionsCommands } from '../load/connections.ts'
import type { Login } from '../load/login.ts'
import { LoadSocket } from '../load/socket.ts'
import { peer } from '../peers/peers.ts'
import { starling as dialect } from '../peers/starling/dialect.ts'
import { complaintsOf, type System, withSystem } from '../peers/system.ts'

interface Try {
  welcomeTrips: number
  trips: number
  redisMs: number
  ms: number
}

/** Between tries, ms: the gateway's own rounds fall into some of them, which is why the best one counts. */
const PAUSE_MS = 150

export async function roomy(setting: { groups: number; dms: number; tries: number }): Promise<Sample> {
  let tap: Tap | undefined
  let redisUrl = ''
  const through = async (url: string) => {
    redisUrl = url
    tap = await openTap(url)
    return tap.url
  }
  try {
    return await withSystem(
      () => peer('starling').start({ nodes: 1, through }),
      async (system) => {
        const login = await prepare(system, setting)
        const redis = await createClient({ url: redisUrl }).connect()
        const tries: Try[] = []
        while (tries.length < setting.tries) tries.push(await connectOnce(login, tap!, redis))
        redis.destroy()
        const best = (of: (one: Try) => number) => Math.min(...tries.map(of))
        return {
          figures: {
            'roomy.welcomeTrips': best(({ welcomeTrips }) => welcomeTrips),
            'roomy.roundTrips': best(({ trips }) => trips),
            'roomy.redisMs': best(({ redisMs }) => redisMs),
            'roomy.ms': best(({ ms }) => ms),
          },
          notes: [],
          disturbances: [],
          faults: complaintsOf(system),
        }
      },
    )
  } finally {
    tap?.close()
  }
}

/** Makes the user's conversations. */
async function prepare(system: System, { groups, dms }: { groups: number; dms: number }): Promise<Login> {
  const login = await system.login('roomy', 0)
  for (let group = 0; group < groups; group++) await system.makeGroup([`owner-${group}`, login.user])
  const to = Array.from({ length: dms }, (_, index) => `friend-${index}`)
  await withGenerators<ConnectionsCommands, void>('connections.ts', 1, async ([generator]) => {
    await generator!.ask('feed', { dialect: 'starling', from: login, to, count: 1 })
  })
  return login
}

async function connectOnce(login: Login, tap: Tap, redis: Informed): Promise<Try> {
  await sleep(PAUSE_MS)
  const redisMsBefore = await workOf(redis)
  tap.reset()
  const [synced, startMs] = [Promise.withResolvers<void>(), performance.now()]
  let welcomeTrips = 0
  const socket = await LoadSocket.open({
    port: login.port,
    path: dialect.path,
    subprotocol: dialect.subprotocol,
    onEnd: (why) => synced.reject(new Error(why)),
    onText(data, start, end) {
      const op = /^{"op":"(\w+)"/.exec(data.toString('utf8', start, Math.min(end, start + 32)))?.[1]
      if (op === 'welcome') welcomeTrips = tap.roundTrips
      if (op === 'synced') synced.resolve()
      if (op === 'error') synced.reject(new Error(data.toString('utf8', start, end)))
    },
  })
  for (const frame of dialect.login(login, true)) socket.send(frame)
  await synced.promise
  const [trips, ms] = [tap.roundTrips, performance.now() - startMs]
  const redisMs = (await workOf(redis)) - redisMsBefore
  socket.close()
  return { welcomeTrips, trips, redisMs, ms }
}

interface Informed {
  sendCommand(words: string[]): Promise<unknown>
}

/** What the thread that serves commands has used so far, ms of CPU: reading, working, answering. */
async function workOf(redis: Informed): Promise<number> {
  const info = (await redis.sendCommand(['INFO', 'cpu'])) as string
  const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1])
  return 1e3 * (seconds('used_cpu_user_main_thread') + seconds('used_cpu_sys_main_thread'))
}
