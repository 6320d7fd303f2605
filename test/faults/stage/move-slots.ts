/** Moves slots of a Redis Cluster from one master to another while they are in use, as `redis-cli --cluster reshard` does. */
import { Redis } from 'ioredis'

const KEYS_AT_ONCE = 50
const MIGRATE_MS = 5_000

export interface Movers {
  /** Ports of 127.0.0.1. */
  from: number
  to: number
  /** All masters, which are told at the end. */
  masters: readonly number[]
}

/** @returns up to `count` slots of a master that have keys */
export async function busySlots(port: number, count: number): Promise<number[]> {
  return withNode(port, async (node) => {
    const ranges = (await node.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const busy: number[] = []
    for (const [first, last, [, owner]] of ranges) {
      if (owner !== port) continue
      for (let slot = first; slot <= last && busy.length < count; slot++) {
        if (Number(await node.call('CLUSTER', 'COUNTKEYSINSLOT', slot)) > 0) busy.push(slot)
      }
    }
    return busy
  })
}

/** @returns how many keys went along */
export async function moveSlot(slot: number, { from, to, masters }: Movers): Promise<number> {
  const [fromId, toId] = await Promise.all(
    [from, to].map((port) => withNode(port, (node) => node.call('CLUSTER', 'MYID') as Promise<string>)),
  )
  await withNode(to, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!))
  let moved = 0
  await withNode(from, async (node) => {
    await node.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!)
    for (;;) {
      const keys = (await node.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE)) as string[]
      if (keys.length === 0) break
      await node.call('MIGRATE', '127.0.0.1', to, '', 0, MIGRATE_MS, 'KEYS', ...keys)
      moved += keys.length
    }
  })
  for (const port of [to, from, ...masters.filter((one) => one !== to && one !== from)]) {
    await withNode(port, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!))
  }
  return moved
}

async function withNode<Answer>(port: number, talk: (node: Redis) => Promise<Answer>): Promise<Answer> {
  const node = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1 })
  node.on('error', () => {})
  try {
    return await talk(node)
  } finally {
    node.disconnect()
  }
}
