/**
 * Hours under half of the load that it can take, while users come and go, watch, join and leave: does memory stay
 * where it is, and is nothing left behind when all have gone?
 */
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { withGenerators } from '../lib/generator.ts'
import { newestOfEachKind, sumOf } from '../lib/outcome.ts'
import { percentilesOf } from '../lib/percentiles.ts'
import { residentBytes } from '../lib/server-process.ts'
import type { ChurnCommands, Upheaval } from '../load/churn.ts'
import type { PairsCommands } from '../load/pairs.ts'
import { peer } from '../peers/peers.ts'
import { complaintsOf, type System, withSystem } from '../peers/system.ts'
import { connectPairs, loadPairs } from './pairs.ts'

export interface SoakSetting {
  minutes: number
  senders: number
  /** Users who come and go. */
  restless: number
  groups: number
  comingsAndGoings: number
  joinsAndLeaves: number
}

/** One reading. */
export interface Point {
  minute: number
  /** Resident memory in MiB: of each gateway, of Redis, and what Redis counts as used by data. */
  gateways: number[]
  redis: number
  redisData: number
  /** Acks in the stretch before it, a second, and their p99. */
  perSecond: number
  ackP99: number
}

export interface SoakResult {
  saturation: number
  rate: number
  /** How nice Redis was to the others, as the kernel has it. */
  redisNice: number
  points: Point[]
  upheaval: Upheaval
  /** What there was before the first connection, and what there is after the last. */
  before: LeftBehind
  after: LeftBehind
  faults: string[]
}

export interface LeftBehind {
  /** Open files of each gateway. */
  descriptors: number[]
  /** Channels that somebody subscribes to. */
  channels: number
  /** Sessions that Redis knows of. */
  sessions: number
}

const MIB = 1024 ** 2
const STRETCH_MS = 20_000
/**
 * With all the unrest, one message of each sender under way, as clients send them, and for so long that Redis rewrites its
 * AOF meanwhile: what it takes for seconds, it can't take for hours.
 */
const SATURATION = { warmupMs: 10_000, measureMs: 120_000 }
/** Presence forgets a user 2 s after their last session; HTTP connections that nobody uses are closed in a minute. */
const GONE_WITHIN_MS = 75_000

export async function soak(setting: SoakSetting, say: (words: string) => void): Promise<SoakResult> {
  const starling = peer('starling')
  return withSystem(
    () => starling.start({ redisFirst: true }),
    async (system) => {
      const redis = await createClient({ url: system.store!.url }).connect()
      try {
        const before = await leftBehind(system, redis)
        const middle = await withGenerators<PairsCommands, Middle>('pairs.ts', 1, async (pairs) =>
          withGenerators<ChurnCommands, Middle>('churn.ts', 1, async ([churn]) => {
            await connectPairs(starling, system, pairs, { senders: setting.senders })
            await churn!.ask('start', await unrestOf(system, setting))
            const closed = { is: 'closed', inFlight: setting.senders } as const
            const { messages } = await loadPairs(system, pairs, { ...SATURATION, mode: closed })
            const saturation = messages / (SATURATION.measureMs / 1e3)
            const ratePerSecond = Math.floor(saturation / 2)
            say(`${Math.round(saturation)}/s at saturation; soaking at ${ratePerSecond}/s`)
            const points: Point[] = []
            let faults: string[] = []
            const startMs = performance.now()
            for (let minute = 0; minute < setting.minutes; ) {
              const mode = { is: 'open', ratePerSecond } as const
              const run = await loadPairs(system, pairs, { warmupMs: 0, measureMs: STRETCH_MS, mode })
              faults = newestOfEachKind([...faults, ...run.faults])
              minute = (performance.now() - startMs) / 60_000
              points.push({
                minute,
                ...(await memoryOf(system, redis)),
                perSecond: run.messages / (STRETCH_MS / 1e3),
                ackP99: percentilesOf(run.results.map(({ ackMs }) => ackMs)).p99,
              })
              say(pointLine(points.at(-1)!))
            }
            const upheaval = await churn!.ask('stop', undefined)
            return {
              saturation,
              rate: ratePerSecond,
              redisNice: getPriority(system.store!.pids[0]),
              points,
              upheaval,
              faults: [...faults, ...upheaval.faults],
            }
          }),
        )
        await sleep(GONE_WITHIN_MS)
        const after = await leftBehind(system, redis)
        return {
          ...middle,
          before,
          after,
          faults: [...middle.faults, ...leaks(before, after), ...complaintsOf(system)],
        }
      } finally {
        redis.destroy()
      }
    },
  )
}

type Middle = Omit<SoakResult, 'before' | 'after'>

async function unrestOf(system: System, setting: SoakSetting): Promise<ChurnCommands['start']['argument']> {
  const { restless, groups: count, comingsAndGoings, joinsAndLeaves } = setting
  const users = await Promise.all(
    Array.from({ length: restless }, (_, index) =>
      system.login(`restless-${index}`, index % system.nodes.length),
    ),
  )
  const groups: string[] = []
  for (let group = 0; group < count; group++) {
    const target = await system.makeGroup([`owner-${group}`], { isOpen: true })
    groups.push(target.slice('group:'.length))
  }
  return { users, groups, comingsAndGoings, joinsAndLeaves }
}

async function memoryOf(
  system: System,
  redis: Redis,
): Promise<Pick<Point, 'gateways' | 'redis' | 'redisData'>> {
  const info = String(await redis.sendCommand(['INFO', 'memory']))
  return {
    gateways: system.nodes.map((node) => node.residentBytes() / MIB),
    redis: sumOf(system.store!.pids, residentBytes) / MIB,
    redisData: Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / MIB,
  }
}

async function leftBehind(system: System, redis: Redis): Promise<LeftBehind> {
  const channels = (await redis.sendCommand(['PUBSUB', 'SHARDCHANNELS'])) as unknown[]
  let [cursor, sessions] = ['0', 0]
  do {
    const [next, keys] = (await redis.sendCommand([
      'SCAN',
      cursor,
      'MATCH',
      '*:sessions',
      'COUNT',
      '10000',
    ])) as [string, string[]]
    sessions += keys.length
    cursor = next
  } while (cursor !== '0')
  return {
    descriptors: system.nodes.map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length),
    channels: channels.length,
    sessions,
  }
}

function leaks(before: LeftBehind, after: LeftBehind): string[] {
  return [
    ...after.descriptors.flatMap((count, node) =>
      count > before.descriptors[node]!
        ? [`gateway ${node + 1} has ${count - before.descriptors[node]!} files open too many`]
        : [],
    ),
    ...(after.channels > before.channels
      ? [`${after.channels - before.channels} subscriptions left behind`]
      : []),
    ...(after.sessions > 0 ? [`${after.sessions} users still have sessions`] : []),
  ]
}

const pointLine = ({ minute, gateways, redis, redisData, perSecond, ackP99 }: Point): string =>
  `${minute.toFixed(1)} min: gateways ${gateways.map((mib) => mib.toFixed(0)).join(' + ')} MiB, Redis ${redis.toFixed(0)} (data ${redisData.toFixed(0)}) MiB, ${perSecond.toFixed(0)}/s, ack p99 ${ackP99.toFixed(1)} ms`

interface Redis {
  sendCommand(words: string[]): Promise<unknown>
}
