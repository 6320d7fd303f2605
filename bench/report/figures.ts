/** What the figures are called and measured in, in the order of the tables. A key may start with a size or rate. */

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
  lateP99: { label: 'generator late p99', unit: 'ms' },
}

/** @param key `<part>.<figure>`, as in `dm@1000.ackP50` */
export function figureName(key: string): FigureName {
  return FIGURES[key.slice(key.lastIndexOf('.') + 1)] ?? { label: key, unit: '' }
}
