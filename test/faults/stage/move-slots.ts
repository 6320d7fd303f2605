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

/** Begins a slot's move: keys that are gone already are asked for elsewhere from now on. */
export async function openSlot(slot: number, { from, to }: Movers): Promise<void> {
  const [fromId, toId] = await Promise.all([nodeId(from), nodeId(to)])
  await withNode(to, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId))
  await withNode(from, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId))
}

/** Moves some keys of an open slot. */
export async function moveKeys(keys: readonly string[], { from, to }: Movers): Promise<void> {
  await withNode(from, (node) => node.call('MIGRATE', '127.0.0.1', to, '', 0, MIGRATE_MS, 'KEYS', ...keys))
}

/** Moves a slot, open or not, with all its keys. @returns how many went along */
export async function moveSlot(slot: number, movers: Movers): Promise<number> {
  const { from, to, masters } = movers
  await openSlot(slot, movers)
  let moved = 0
  for (;;) {
    const keys = await keysIn(slot, from)
    if (keys.length === 0) break
    await moveKeys(keys, movers)
    moved += keys.length
  }
  const toId = await nodeId(to)
  for (const port of [to, from, ...masters.filter((one) => one !== to && one !== from)]) {
    await withNode(port, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId))
  }
  return moved
}

/** @returns some of the keys that a master has of a slot */
export const keysIn = (slot: number, port: number): Promise<string[]> =>
  withNode(port, (node) => node.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE) as Promise<string[]>)

const nodeId = (port: number): Promise<string> =>
  withNode(port, (node) => node.call('CLUSTER', 'MYID') as Promise<string>)

async function withNode<Answer>(port: number, talk: (node: Redis) => Promise<Answer>): Promise<Answer> {
  const node = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1 })
  node.on('error', () => {})
  try {
    return await talk(node)
  } finally {
    node.disconnect()
  }
}
