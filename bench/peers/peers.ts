/** All systems under test by name: what they are, how one is started. */
import type { DialectName } from '../load/dialects.ts'
import { type PeerProcess, startPeer } from './shared/system.ts'
import { startStarling } from './starling/system.ts'
import type { Shape, System } from './system.ts'

interface Setup {
  /** As a table calls it. */
  readonly title: string
  /** Whose frames it speaks. */
  readonly dialect: DialectName
  start(shape: Shape): Promise<System>
}

export interface Peer extends Setup {
  readonly name: PeerName
}

export type PeerName = keyof typeof PEERS

const socketIo = (env: Record<string, string>): PeerProcess => ({
  script: 'bench/peers/socket-io/server.ts',
  env,
  usesRedis: true,
})
const ws = (env: Record<string, string>): PeerProcess => ({
  script: 'bench/peers/ws/server.ts',
  env,
  usesRedis: true,
})

const PEERS = {
  starling: { title: 'Starling', dialect: 'starling', start: (shape: Shape) => startStarling(shape) },
  'sio-durable': {
    title: 'Socket.IO durable',
    dialect: 'socketIo',
    start: (shape: Shape) => startPeer(socketIo({ DURABLE: '1' }), shape),
  },
  'sio-bare': {
    title: 'Socket.IO bare',
    dialect: 'socketIo',
    start: (shape: Shape) => startPeer(socketIo({}), shape),
  },
  'sio-uws-durable': {
    title: 'Socket.IO durable on uWebSockets.js',
    dialect: 'socketIo',
    start: (shape: Shape) => startPeer(socketIo({ DURABLE: '1', ENGINE: 'uws' }), shape),
  },
  'sio-uws-bare': {
    title: 'Socket.IO bare on uWebSockets.js',
    dialect: 'socketIo',
    start: (shape: Shape) => startPeer(socketIo({ ENGINE: 'uws' }), shape),
  },
  'ws-durable': {
    title: 'ws durable',
    dialect: 'plain',
    start: (shape: Shape) => startPeer(ws({ DURABLE: '1' }), shape),
  },
  'ws-bare': { title: 'ws bare', dialect: 'plain', start: (shape: Shape) => startPeer(ws({}), shape) },
  uws: {
    title: 'uWebSockets.js alone',
    dialect: 'raw',
    start: (shape: Shape) =>
      startPeer({ script: 'bench/peers/uws/server.ts', usesRedis: false }, { ...shape, nodes: 1 }),
  },
} as const satisfies Record<string, Setup>

/** @returns a peer by its name */
export const peer = (name: PeerName): Peer => ({ name, ...PEERS[name] })

export const PEER_NAMES = Object.keys(PEERS)

export const isPeerName = (name: string): name is PeerName => Object.hasOwn(PEERS, name)
