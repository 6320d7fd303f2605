/**
 * A Redis Cluster whose masters are known at the ports of wires: whatever gateways say to them passes there first.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts'
import { type RedisUnderTest, sayTo } from './redis.ts'
import { Wire } from './wire.ts'

const MASTERS = 3
const SETTLE_MS = 30_000
const LOOK_MS = 50

type Slots = [first: number, last: number, master: [host: string, port: number]][]

export class WiredCluster implements RedisUnderTest {
  readonly url: string
  /** One to each master. */
  readonly wires: readonly Wire[]
  readonly #cluster: RedisCluster

  static async start(): Promise<WiredCluster> {
    const cluster = await startRedisCluster({ masters: MASTERS })
    const wires: Wire[] = []
    for (const { port } of cluster.nodes) wires.push(await Wire.start({ host: '127.0.0.1', port }))
    const wired = new WiredCluster(cluster, wires)
    try {
      await wired.#announce()
    } catch (fault) {
      await wired.stop()
      throw fault
    }
    return wired
  }

  private constructor(cluster: RedisCluster, wires: readonly Wire[]) {
    this.#cluster = cluster
    this.wires = wires
    this.url = `redis+cluster://${wires.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  }

  async stop(): Promise<void> {
    for (const wire of this.wires) wire.close()
    await this.#cluster.stop()
  }

  /** Resolves when every master names all of them by their wires. */
  async #announce(): Promise<void> {
    const ports = this.#cluster.nodes.map(({ port }) => port)
    for (const [n, port] of ports.entries()) {
      await sayTo(port, (node) => node.config('SET', 'cluster-announce-port', this.wires[n]!.port))
    }
    const wired = new Set(this.wires.map(({ port }) => port))
    const deadline = performance.now() + SETTLE_MS
    for (const port of ports) {
      const isTold = async () => {
        const slots = await sayTo(port, (node) => node.call('CLUSTER', 'SLOTS') as Promise<Slots>)
        return slots.length === MASTERS && slots.every(([, , [, known]]) => wired.has(known))
      }
      while (!(await isTold())) {
        if (performance.now() > deadline) throw new Error('the masters do not learn where their wires are')
        await sleep(LOOK_MS)
      }
    }
  }
}
