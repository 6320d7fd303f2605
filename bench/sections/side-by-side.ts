/** The sections in which all systems do the same. */

import type { Subject } from '../lib/interleave.ts'
import type { Sample } from '../lib/outcome.ts'
import { type Peer, type PeerName, peer } from '../peers/peers.ts'
import { connections } from '../scenarios/connections.ts'
import { dm } from '../scenarios/dm.ts'
import { group } from '../scenarios/group.ts'
import { backlog, storm } from '../scenarios/returns.ts'
import { GENERATORS, IN_FLIGHT, type Lengths, PAIRS, type Section, thousands } from './section.ts'

const DURABLE: readonly PeerName[] = ['starling', 'sio-durable', 'sio-uws-durable', 'ws-durable']
const BARE: readonly PeerName[] = ['sio-bare', 'sio-uws-bare', 'ws-bare']
const RATES = [1_000, 4_000]
const CONNECTIONS = 19_800
const QUIET_MS = 15_000
const STORM_USERS = 5_000
const BACKLOG = { users: 20, messages: 1_000 }
/** About a thousand members, whatever the groups' size. */
const GROUPS = [
  { members: 1_000, groups: 1, writers: 4, inFlight: 4 },
  { members: 100, groups: 10, writers: 2, inFlight: 3 },
  { members: 10, groups: 100, writers: 2, inFlight: 1 },
]

const each = (names: readonly PeerName[], run: (peer: Peer) => Promise<Sample>): Subject[] =>
  names.map((name) => ({ name, run: () => run(peer(name)) }))

export const sideBySide = (lengths: Lengths): Section[] => [
  {
    name: 'dm',
    title: 'One-to-one messages',
    setting: `${PAIRS} pairs, sender and receiver on different servers, bodies of 128 bytes; ${IN_FLIGHT} under way, then at fixed rates in an open loop.`,
    parts: [
      { part: 'dm', title: `At saturation, ${IN_FLIGHT} under way` },
      ...RATES.map((rate) => ({ part: `dm@${rate}`, title: `Open loop at ${thousands(rate)}/s` })),
      { part: 'dm@half', title: 'Open loop at half of its own saturation' },
    ],
    subjects: each([...DURABLE, ...BARE, 'uws'], (peer) =>
      dm(peer, {
        ...lengths,
        generators: GENERATORS,
        crowd: { senders: PAIRS },
        inFlight: IN_FLIGHT,
        rates: DURABLE.includes(peer.name) ? [...RATES, 'half'] : [],
      }),
    ),
  },
  ...GROUPS.map(
    (setting): Section => ({
      name: `group-${setting.members}`,
      title: `Groups of ${thousands(setting.members)}`,
      setting: `${setting.groups} of them, all members connected, half on each server; in each ${setting.writers} write, ${setting.inFlight} under way for each.`,
      parts: [{ part: `group-${setting.members}`, title: 'A delivery' }],
      subjects: each([...DURABLE, 'uws'], (peer) =>
        group(peer, { ...lengths, generators: GENERATORS, ...setting }),
      ),
    }),
  ),
  {
    name: 'connections',
    title: 'Connections',
    setting: `${thousands(CONNECTIONS)} over two servers, authenticated and joined; all quiet for ${QUIET_MS / 1e3} s before memory is read, and for as long again while the CPU of quiet connections is.`,
    parts: [
      { part: 'connect', title: 'A connect' },
      { part: 'idle', title: 'A quiet connection' },
    ],
    subjects: each(['starling', ...BARE], (peer) =>
      connections(peer, { generators: GENERATORS, connections: CONNECTIONS, settleMs: QUIET_MS }),
    ),
  },
  {
    name: 'storm',
    title: 'All come back at once',
    setting: `${thousands(STORM_USERS)} users are dropped, each gets a message, and all come back at the same time and ask for it.`,
    parts: [{ part: 'storm', title: 'A user who comes back' }],
    subjects: each(DURABLE, (peer) => storm(peer, { generators: GENERATORS, users: STORM_USERS })),
  },
  {
    name: 'backlog',
    title: 'Coming back to much',
    setting: `One user comes back to ${thousands(BACKLOG.messages)} waiting messages; the median of ${BACKLOG.users} users.`,
    parts: [{ part: 'backlog', title: 'From the connect to the last message' }],
    subjects: each(DURABLE, (peer) => backlog(peer, BACKLOG)),
  },
]
