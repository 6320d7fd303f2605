/** Who takes part: users, their devices, whom they write to. Always the same for the same numbers. */
import { channelConv, dmOf, groupConv } from '@starling/protocol/ids'
import type { ClientInfo } from '../history.ts'

export const CHANNEL = 'lobby'

export interface PopulationSize {
  /** On the SDK. */
  users: number
  /** On raw frames, beyond. */
  rawUsers: number
  /** SDK users with a second device. */
  secondDevices: number
  groups: number
  groupSize: number
}

export interface Population {
  clients: ClientInfo[]
  users: string[]
  /** Members by group, the owner first; the server gives the ids. */
  groups: string[][]
  /** To whom each user writes one to one. */
  peers: Map<string, string[]>
}

export const SIZE: PopulationSize = { users: 200, rawUsers: 24, secondDevices: 20, groups: 12, groupSize: 20 }

/** For the part that CI has time for. */
export const QUICK_SIZE: PopulationSize = {
  users: 90,
  rawUsers: 12,
  secondDevices: 10,
  groups: 6,
  groupSize: 14,
}

export function populate({ users, rawUsers, secondDevices, groups, groupSize }: PopulationSize): Population {
  const names = Array.from({ length: users + rawUsers }, (_, n) => `u${String(n).padStart(3, '0')}`)
  const clients = names.map((user, n): ClientInfo => {
    return { id: `${user}/${user}-a`, user, kind: n < users ? 'sdk' : 'raw' }
  })
  for (const user of names.slice(0, secondDevices))
    clients.push({ id: `${user}/${user}-b`, user, kind: 'sdk' })
  const peers = new Map(names.map((user): [string, string[]] => [user, []]))
  for (const [n, user] of names.entries()) {
    for (const step of [1, 17]) {
      const peer = names[(n + step) % names.length]!
      peers.get(user)!.push(peer)
      peers.get(peer)!.push(user)
    }
  }
  const members = Array.from({ length: groups }, (_, group) =>
    Array.from({ length: groupSize }, (_, n) => names[(group * 18 + n * 11) % names.length]!),
  )
  return { clients, users: names, groups: members.map((list) => [...new Set(list)]), peers }
}

/** @returns every conversation of a user, given the groups' ids */
export function convsOf(
  user: string,
  { peers }: Population,
  groups: ReadonlyMap<string, readonly string[]>,
): string[] {
  const mine = [...groups].filter(([, members]) => members.includes(user)).map(([id]) => groupConv(id))
  return [...(peers.get(user) ?? []).map((peer) => dmOf(user, peer)), ...mine, channelConv(CHANNEL)]
}
