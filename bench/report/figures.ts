/** What the figures are called and measured in, and what they are of a series. */
import type { Series } from '../lib/interleave.ts'
import { type Spread, spreadOf } from '../lib/statistics.ts'

export interface FigureName {
  label: string
  unit: string
}

const FIGURES: Record<string, FigureName> = {
  perSecond: { label: 'throughput', unit: '1/s' },
  cpu: { label: 'CPU, servers and store', unit: 'µs' },
  cpuServers: { label: 'of it servers', unit: 'µs' },
  cpuStore: { label: 'of it Redis', unit: 'µs' },
  cpuGenerators: { label: 'CPU of the generators', unit: 'µs' },
  deliveryP50: { label: 'delivery p50', unit: 'ms' },
  deliveryP99: { label: 'delivery p99', unit: 'ms' },
  deliveryP999: { label: 'delivery p99.9', unit: 'ms' },
  ackP50: { label: 'ack p50', unit: 'ms' },
  ackP99: { label: 'ack p99', unit: 'ms' },
  ackP999: { label: 'ack p99.9', unit: 'ms' },
  messages: { label: 'messages', unit: '1/s' },
  lost: { label: 'lost', unit: 'in all' },
  doubled: { label: 'doubled', unit: 'in all' },
  outOfOrder: { label: 'out of order', unit: 'in all' },
  bytes: { label: 'memory of the servers', unit: 'bytes' },
  cpuNode: { label: 'CPU of one server, all quiet', unit: 'ms/s' },
  cpuStoreQuiet: { label: 'CPU of Redis, all quiet', unit: 'ms/s' },
  allMs: { label: 'until all had theirs', unit: 'ms' },
  lastMs: { label: 'until the last one, median', unit: 'ms' },
  worstMs: { label: 'until the last one, at worst', unit: 'ms' },
  lastP50: { label: 'until it came, p50', unit: 'ms' },
  lastP99: { label: 'until it came, p99', unit: 'ms' },
  welcomeTrips: { label: 'round trips until the welcome', unit: '' },
  roundTrips: { label: 'round trips until all is there', unit: '' },
  redisMs: { label: 'Redis at work', unit: 'ms' },
  ms: { label: 'until all is there', unit: 'ms' },
  lateP99: { label: 'generator late p99', unit: 'ms' },
}

/** @param key `<part>.<figure>`, as in `dm@1000.ackP50` */
export function figureName(key: string): FigureName {
  return FIGURES[key.slice(key.lastIndexOf('.') + 1)] ?? { label: key, unit: '' }
}

/** @returns a figure of a series */
export const figureOf = ({ samples }: Series, key: string): Spread =>
  spreadOf(samples.map(({ figures }) => figures[key]).filter((value) => value !== undefined))
