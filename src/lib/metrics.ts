/**
 * What a gateway counts, in Prometheus' form. Who counts what stands where it happens; labels are closed sets
 * (ops, codes, routes as declared), never ids, so that the number of series stays small.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

/** Seconds; a script takes fractions of a millisecond, a failing Redis seconds. */
const SCRIPT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3]

/** Makes a registry of its own, so that several gateways can live in one process. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    connections: new Gauge({ name: 'starling_connections', help: 'Open sockets.', registers }),
    sessions: new Gauge({ name: 'starling_sessions', help: 'Connections past their hello.', registers }),
    frames: new Counter({
      name: 'starling_frames_total',
      help: 'Frames from clients, by op; "bad" where there was none.',
      labelNames: ['op'],
      registers,
    }),
    sends: new Counter({
      name: 'starling_sends_total',
      help: 'Sends, by kind of conversation and by "ok", "dup" or the error code.',
      labelNames: ['kind', 'result'],
      registers,
    }),
    closes: new Counter({
      name: 'starling_closes_total',
      help: 'Connections that ended, by close code.',
      labelNames: ['code'],
      registers,
    }),
    httpRequests: new Counter({
      name: 'starling_http_requests_total',
      help: 'HTTP requests, by route as declared ("none" where no route matched) and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    scripts: new Histogram({
      name: 'starling_script_seconds',
      help: 'Round trips of Redis scripts, by script.',
      labelNames: ['script'],
      buckets: SCRIPT_BUCKETS,
      registers,
    }),
  } as const
}
