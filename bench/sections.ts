/**
 * The sections of the bench: which systems are measured side by side, at what, and for how long.
 */
import type { Sample } from './lib/outcome.ts'
import type { Peer, PeerName } from './peers/peers.ts'
import { connections } from './scenarios/connections.ts'
import { dm } from './scenarios/dm.ts'
import { group } from './scenarios/group.ts'
import { backlog, storm } from './scenarios/returns.ts'

export interface Section {
  name: string
  title: string
  /** How it is measured, in a line or two. */
  setting: string
  peers: readonly PeerName[]
  /** The parts of its figures, each a table. */
  parts: readonly { part: string; title: string }[]
  run(peer: Peer): Promise<Sample>
}

export interface Lengths {
  warmupMs: number
  measureMs: number
}

const GENERATORS = 2
const ALL: readonly PeerName[] = [
  'starling',
  'sio-durable',
  'sio-bare',
  'sio-uws-durable',
  'sio-uws-bare',
  'ws-durable',
  'ws-bare',
  'uws',
]
const DURABLE: readonly PeerName[] = ['starling', 'sio-durable', 'sio-uws-durable', 'ws-durable']
const PAIRS = 64
const IN_FLIGHT = 256
const RATES = [1_000, 4_000]
const CONNECTIONS = 19_800
const STORM_USERS = 5_000
const BACKLOG = { users: 20, messages: 1_000 }
/** About a thousand members, whatever the groups' size. */
const GROUPS = [
  { members: 1_000, groups: 1, writers: 4, inFlight: 4 },
  { members: 100, groups: 10, writers: 2, inFlight: 3 },
  { members: 10, groups: 100, writers: 2, inFlight: 1 },
]

export const sections = (lengths: Lengths): Section[] => [
  {
    name: 'dm',
    title: 'One-to-one messages',
    setting: `${PAIRS} pairs, sender and receiver on different servers, bodies of 128 bytes; ${IN_FLIGHT} under way, then at fixed rates in an open loop.`,
    peers: ALL,
    parts: [
      { part: 'dm', title: `At saturation, ${IN_FLIGHT} under way` },
      ...RATES.map((rate) => ({
        part: `dm@${rate}`,
        title: `Open loop at ${rate.toLocaleString('en-US')}/s`,
      })),
    ],
    run: (peer) =>
      dm(peer, {
        ...lengths,
        generators: GENERATORS,
        pairs: PAIRS,
        inFlight: IN_FLIGHT,
        rates: DURABLE.includes(peer.name) ? RATES : [],
      }),
  },
  ...GROUPS.map(
    (setting): Section => ({
      name: `group-${setting.members}`,
      title: `Groups of ${setting.members.toLocaleString('en-US')}`,
      setting: `${setting.groups} of them, all members connected, half on each server; in each ${setting.writers} write, ${setting.inFlight} under way for each.`,
      peers: ALL.filter((name) => name === 'uws' || DURABLE.includes(name)),
      parts: [{ part: `group-${setting.members}`, title: 'A delivery' }],
      run: (peer) => group(peer, { ...lengths, generators: GENERATORS, ...setting }),
    }),
  ),
  {
    name: 'connections',
    title: 'Connections',
    setting: `${CONNECTIONS.toLocaleString('en-US')} over two servers, authenticated and joined; then all quiet.`,
    peers: ['starling', 'sio-bare', 'sio-uws-bare', 'ws-bare'],
    parts: [
      { part: 'connect', title: 'A connect' },
      { part: 'idle', title: 'A quiet connection' },
    ],
    run: (peer) => connections(peer, { generators: GENERATORS, connections: CONNECTIONS, settleMs: 15_000 }),
  },
  {
    name: 'storm',
    title: 'All come back at once',
    setting: `${STORM_USERS.toLocaleString('en-US')} users are dropped, each gets a message, and all come back at the same time and ask for it.`,
    peers: DURABLE,
    parts: [{ part: 'storm', title: 'A user who comes back' }],
    run: (peer) => storm(peer, { generators: GENERATORS, users: STORM_USERS }),
  },
  {
    name: 'backlog',
    title: 'Coming back to much',
    setting: `One user comes back to ${BACKLOG.messages.toLocaleString('en-US')} waiting messages; the median of ${BACKLOG.users} users.`,
    peers: DURABLE,
    parts: [{ part: 'backlog', title: 'From the connect to the last message' }],
    run: (peer) => backlog(peer, { generators: 1, ...BACKLOG }),
  },
]
