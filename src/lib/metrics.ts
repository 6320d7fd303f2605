/**
 * What a gateway counts, in Prometheus' form: every metric has its name and meaning here. Who counts what stands
 * where it happens; labels are closed sets (ops, codes, scripts, routes as declared), never ids, so that the number
 * of series stays small. docs/observability.md says what to make of them.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { Histogram } from './histogram.ts'
import { Tally } from './tally.ts'

/** How often the event loop's lag is measured; the default of 10 ms is most of what a quiet gateway does. */
const LAG_EVERY_MS = 50

export type Metrics = ReturnType<typeof createMetrics>

/** Makes a registry of its own, so that several gateways can live in one process. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_EVERY_MS })
  return {
    registry,
    handshakes: new Tally({
      name: 'starling_handshakes_total',
      help: 'Sockets that asked to come in: "taken", or why not: "subprotocol", "origin", "rate", "full", "overloaded".',
      labels: ['result'],
      zeros: ['taken', 'subprotocol', 'origin', 'rate', 'full', 'overloaded'],
      registers,
    }),
    hellos: new Tally({
      name: 'starling_hellos_total',
      help: 'Hellos: "ok", the error code, or "gone" where the line broke meanwhile.',
      labels: ['result'],
      zeros: ['ok', 'internal'],
      registers,
    }),
    closes: new Tally({
      name: 'starling_closes_total',
      help: 'Connections that ended, by close code; "other" for codes of the client’s own.',
      labels: ['code'],
      zeros: ['4008'],
      registers,
    }),
    frames: new Tally({
      name: 'starling_frames_total',
      help: 'Frames from clients, by op; "bad" where there was none.',
      labels: ['op'],
      registers,
    }),
    errors: new Tally({
      name: 'starling_errors_total',
      help: 'Frames from sessions that were answered with an error, by code.',
      labels: ['code'],
      zeros: ['internal', 'unavailable', 'overloaded'],
      registers,
    }),
    sends: new Tally({
      name: 'starling_sends_total',
      help: 'Sends, by kind of target and by "ok", "dup" or the error code.',
      labels: ['kind', 'result'],
      registers,
    }),
    ackLatency: new Histogram({
      name: 'starling_ack_latency_seconds',
      help: 'From a send being taken up to its ack being written.',
      bounds: LATENCY_BOUNDS,
      registers,
    }).series(),
    deliveryLatency: new Histogram({
      name: 'starling_delivery_latency_seconds',
      help: 'From Redis storing a message to its arrival on the bus here, by the clocks of both: to the ms, never below 0.',
      bounds: LATENCY_BOUNDS,
      registers,
    }).series(),
    fanout: new Histogram({
      name: 'starling_fanout_sockets',
      help: 'Sockets here that follow the topic of what came on the bus.',
      bounds: FANOUT_BOUNDS,
      registers,
    }).series(),
    scriptLatency: new Histogram({
      name: 'starling_redis_script_seconds',
      help: 'Round trips to Redis by script, however they ended.',
      bounds: SCRIPT_BOUNDS,
      label: 'script',
      registers,
    }),
    httpRequests: new Counter({
      name: 'starling_http_requests_total',
      help: 'HTTP requests, by route as declared ("none" where no route matched) and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    /** Shows numbers that their owners keep: they are read when somebody looks. */
    expose(readings: Readings) {
      for (const [reading, [name, help]] of Object.entries(GAUGES)) {
        const read = readings[reading as keyof Readings]
        new Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read())
          },
        })
      }
      for (const [reading, [name, help]] of Object.entries(COUNTERS)) {
        const read = readings[reading as keyof Readings]
        new Counter({
          name,
          help,
          registers,
          collect() {
            this.reset()
            this.inc(read())
          },
        })
      }
    },
  } as const
}

const GAUGES = {
  ready: ['starling_ready', '1 while /readyz says so, else 0.'],
  draining: ['starling_draining', '1 from SIGTERM on.'],
  connections: ['starling_connections', 'Open sockets, those without a hello included.'],
  sessions: ['starling_sessions', 'Sessions here.'],
  users: ['starling_users', 'Users with a session here.'],
  conversations: ['starling_conversations', 'Groups and channels that somebody here follows.'],
  outgoingBytes: ['starling_outgoing_waiting_bytes', 'What waits for peers to read, all sockets together.'],
  subscriptions: [
    'starling_subscriptions',
    'Buckets whose channels are heard; all of them: the feed is whole.',
  ],
  canaryAge: ['starling_canary_age_seconds', 'Since the newest sign of life came back through the bus.'],
  leaseAge: ['starling_lease_age_seconds', 'Since this node’s lease was renewed last.'],
} as const

/** Numbers that only grow. */
const COUNTERS = {
  reapedNodes: ['starling_reaped_nodes_total', 'Dead nodes that this one took out.'],
  reapedSessions: ['starling_reaped_sessions_total', 'Sessions of dead nodes that this one took out.'],
} as const

/** Where each number that is kept elsewhere comes from, in its metric's unit. */
export type Readings = Record<keyof typeof GAUGES | keyof typeof COUNTERS, () => number>

/** Seconds. */
const LATENCY_BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
/** Seconds; fewer, since there are some 40 scripts. */
const SCRIPT_BOUNDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1, 5]
const FANOUT_BOUNDS = [0, 1, 2, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000]
