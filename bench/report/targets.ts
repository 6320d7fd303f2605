/**
 * What is to be reached: each row a figure of ours, what it is held against, and the ratio that is the floor and the
 * goal.
 */
import type { Series } from '../lib/interleave.ts'
import type { PeerName } from '../peers/peers.ts'
import { figureOf } from './figures.ts'

export interface Target {
  work: string
  /** The figure of ours. */
  key: string
  /** Which column is ours; Starling's where not given. */
  of?: string
  /** The column it is held against: a system, or ourselves at another size. Where not given, it stands alone. */
  against?: string
  floor: number
  goal: number
  /** Whether more is better. */
  isMore?: boolean
}

export interface Judged {
  target: Target
  ours: number
  theirs: number | undefined
  /** Ours by theirs, or ours where it stands alone. */
  value: number
  verdict: 'goal' | 'floor' | 'missed' | 'not measured'
}

const p50 = (rate: number): Target => ({
  work: `dm at ${rate.toLocaleString('en-US')}/s: delivery p50`,
  key: `dm@${rate}.deliveryP50`,
  against: 'sio-durable',
  floor: 1,
  goal: 0.8,
})
const group = (members: number, floor: number, goal: number, against: PeerName = 'sio-durable'): Target => ({
  work: `group of ${members.toLocaleString('en-US')}: CPU per delivery`,
  key: `group-${members}.cpu`,
  against,
  floor,
  goal,
})
/** Cost that must not grow with the work. */
const flat = (work: string, from: string, to: string, key = 'dm.cpu'): Target => ({
  work,
  key,
  of: to,
  against: from,
  floor: 1.15,
  goal: 1.05,
})

export const TARGETS: readonly Target[] = [
  { work: 'dm: CPU per message', key: 'dm.cpu', against: 'sio-durable', floor: 0.4, goal: 0.28 },
  { work: 'dm: CPU per message', key: 'dm.cpu', against: 'sio-bare', floor: 0.7, goal: 0.5 },
  {
    work: 'dm: messages/s at saturation',
    key: 'dm.perSecond',
    against: 'sio-durable',
    floor: 2.2,
    goal: 2.8,
    isMore: true,
  },
  p50(1_000),
  p50(4_000),
  group(1_000, 0.22, 0.15),
  group(100, 0.35, 0.25),
  group(10, 0.6, 0.45),
  group(1_000, 2, 1.4, 'uws'),
  { work: 'idle connection: bytes', key: 'idle.bytes', against: 'sio-bare', floor: 0.35, goal: 0.2 },
  { work: 'CPU per connect', key: 'connect.cpu', against: 'sio-bare', floor: 0.6, goal: 0.35 },
  {
    work: '5,000 dropped and back: CPU per user',
    key: 'storm.cpu',
    against: 'sio-durable',
    floor: 0.5,
    goal: 0.25,
  },
  {
    work: '1,000 messages waiting: time to the last',
    key: 'backlog.lastMs',
    against: 'sio-durable',
    floor: 0.4,
    goal: 0.2,
  },
  { work: '300 conversations: round trips to connect', key: 'roomy.roundTrips', floor: 3, goal: 3 },
  { work: '300 conversations: ms of Redis to connect', key: 'roomy.redisMs', floor: 5, goal: 5 },
  flat('100,000 conversations: CPU per message', '100 conversations', '100,000 conversations'),
  flat('8 gateways, four times the load: CPU per message', '2 gateways', '8 gateways'),
  flat('8 gateways, the same load: CPU per message', '2 gateways', '8 gateways, the load of 2'),
  flat('3 Redis masters, three times the load: CPU per message', '1 Redis', '3 Redis'),
  flat('3 Redis masters, the same load: CPU per message', '1 Redis', '3 Redis, the load of 1'),
  flat('group write at 100,000 members: Redis', '10 members', '100,000 members', 'members.cpuStore'),
]

/** @param series of all sections */
export function judge(target: Target, series: readonly Series[]): Judged {
  const median = (name: string) =>
    series
      .filter((one) => one.name === name)
      .map((one) => figureOf(one, target.key).median)
      .find((value) => !Number.isNaN(value)) ?? Number.NaN
  const { of = 'starling', against, floor, goal, isMore = false } = target
  const ours = median(of)
  const theirs = against === undefined ? undefined : median(against)
  const value = theirs === undefined ? ours : ours / theirs
  const reaches = (limit: number) => (isMore ? value >= limit : value <= limit)
  if (Number.isNaN(value)) return { target, ours, theirs, value, verdict: 'not measured' }
  return {
    target,
    ours,
    theirs,
    value,
    verdict: reaches(goal) ? 'goal' : reaches(floor) ? 'floor' : 'missed',
  }
}
