/** The metrics that there are: a gateway's own, and what we use of those that others bring. */
import { createMetrics, type Readings } from '../../../src/lib/metrics.ts'

export interface KnownMetric {
  name: string
  type: string
  help: string
  labels: readonly string[]
}

const zero = () => 0
const readings: Readings = {
  ready: zero,
  draining: zero,
  connections: zero,
  sessions: zero,
  users: zero,
  conversations: zero,
  outgoingBytes: zero,
  subscriptions: zero,
  canaryAge: zero,
  leaseAge: zero,
  reapedNodes: zero,
  reapedSessions: zero,
}

/** @returns every metric of a gateway, Node.js' and the process' included */
export function gatewayMetrics(): KnownMetric[] {
  const metrics = createMetrics()
  metrics.expose(readings)
  // The library keeps the type and the labels, and doesn't say so in its own types.
  const all = metrics.registry.getMetricsAsArray() as unknown as (Omit<KnownMetric, 'labels'> & {
    labelNames: string[]
  })[]
  return all.map(({ name, type, help, labelNames }) => ({ name, type, help, labels: labelNames }))
}

/** @returns the names of series, each with its labels, as an expression can use them */
export function seriesOf(metrics: readonly KnownMetric[]): Map<string, ReadonlySet<string>> {
  const series = new Map<string, ReadonlySet<string>>()
  for (const { name, type, labels } of metrics) {
    if (type !== 'histogram') {
      series.set(name, new Set(labels))
      continue
    }
    series.set(`${name}_bucket`, new Set([...labels, 'le']))
    for (const end of ['sum', 'count']) series.set(`${name}_${end}`, new Set(labels))
  }
  return series
}

/** What comes from elsewhere: Prometheus itself, Node.js on Linux alone, redis_exporter. */
export const FOREIGN: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    up: [],
    process_open_fds: [],
    process_max_fds: [],
    redis_aof_current_size_bytes: [],
    redis_aof_delayed_fsync: [],
    redis_aof_enabled: [],
    redis_aof_last_write_status: [],
    redis_client_recent_max_output_buffer_bytes: [],
    redis_commands_duration_seconds_total: ['cmd'],
    redis_commands_processed_total: [],
    redis_connected_clients: [],
    redis_connected_slave_lag_seconds: ['slave_ip', 'slave_port', 'slave_state'],
    redis_connected_slaves: [],
    redis_cpu_sys_seconds_total: [],
    redis_cpu_user_seconds_total: [],
    redis_db_keys: ['db'],
    redis_evicted_keys_total: [],
    redis_instance_info: ['role'],
    redis_latest_fork_seconds: [],
    redis_master_link_up: ['master_host', 'master_port'],
    redis_memory_max_bytes: [],
    redis_memory_used_bytes: [],
    redis_net_input_bytes_total: [],
    redis_net_output_bytes_total: [],
    redis_rejected_connections_total: [],
    redis_up: [],
  }).map(([name, labels]) => [name, new Set(labels)]),
)

/** Labels that Prometheus gives to every target. */
export const TARGET_LABELS: ReadonlySet<string> = new Set(['job', 'instance'])
