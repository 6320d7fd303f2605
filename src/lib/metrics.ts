/**
 * What a gateway counts, in Prometheus' form. Who counts what stands where it happens; labels are closed sets
 * (ops, codes, routes as declared), never ids, so that the number of series stays small.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { Tally } from './tally.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** Makes a registry of its own, so that several gateways can live in one process. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    frames: new Tally({
      name: 'starling_frames_total',
      help: 'Frames from clients, by op; "bad" where there was none.',
      labels: ['op'],
      registers,
    }),
    sends: new Tally({
      name: 'starling_sends_total',
      help: 'Sends, by kind of target and by "ok", "dup" or the error code.',
      labels: ['kind', 'result'],
      registers,
    }),
    closes: new Tally({
      name: 'starling_closes_total',
      help: 'Connections that ended, by close code.',
      labels: ['code'],
      registers,
    }),
    httpRequests: new Counter({
      name: 'starling_http_requests_total',
      help: 'HTTP requests, by route as declared ("none" where no route matched) and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    /** A number that is read when somebody looks. */
    gauge(name: string, help: string, read: () => number) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    },
  } as const
}
