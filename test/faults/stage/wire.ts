/**
 * A network between one gateway and its Redis that can be cut: a TCP proxy that holds everything back, both ways and
 * without a word, as a cut cable does; it can also hold a single connection's answers, or look at what passes.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  near: Socket
  far: Socket
  /** It has subscribed: a live feed. */
  isFeed: boolean
  /** What comes from Redis is held back. */
  isMute: boolean
}

/** Looks at what a gateway says, and from which port, before Redis hears it. */
type Look = (chunk: Buffer, port: number) => void

const SUBSCRIBES = Buffer.from('ssubscribe')

export class Wire {
  readonly port: number
  look: Look | undefined
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #isCut = false

  static async start(to: { host: string; port: number }): Promise<Wire> {
    const server = createServer({ pauseOnConnect: true, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Wire(server, to)
  }

  private constructor(server: Server, to: { host: string; port: number }) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (near) => this.#take(near, to))
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get feeds(): number {
    return [...this.#pairs].filter(({ isFeed }) => isFeed).length
  }

  /** From now on nothing passes, and nobody is told. */
  cut(): void {
    this.#isCut = true
    for (const { near, far } of this.#pairs) {
      near.pause()
      far.pause()
    }
  }

  /** What was held back goes on its way. */
  heal(): void {
    this.#isCut = false
    for (const { near, far, isMute } of this.#pairs) {
      near.resume()
      if (!isMute) far.resume()
    }
  }

  /** The live feeds go silent: their connections stay, commands on others are answered. New feeds work. */
  muteFeeds(): void {
    this.#mute(({ isFeed }) => isFeed)
  }

  /** Redis is heard no more on any connection there is. */
  mute(): void {
    this.#mute(() => true)
  }

  /** The lines from these ports end at once; what was not passed on by now never is. */
  end(ports: ReadonlySet<number>): void {
    for (const { near, far } of this.#pairs) {
      if (!ports.has(near.remotePort ?? 0)) continue
      near.destroy()
      far.destroy()
    }
  }

  close(): void {
    this.#server.close()
    for (const { near, far } of this.#pairs) {
      near.destroy()
      far.destroy()
    }
  }

  #mute(which: (pair: Pair) => boolean): void {
    for (const pair of this.#pairs) {
      if (!which(pair)) continue
      pair.isMute = true
      pair.far.pause()
    }
  }

  #take(near: Socket, to: { host: string; port: number }): void {
    const far = connect({ ...to, noDelay: true })
    const pair: Pair = { near, far, isFeed: false, isMute: false }
    this.#pairs.add(pair)
    near.on('data', (chunk: Buffer) => {
      if (!pair.isFeed && chunk.includes(SUBSCRIBES)) pair.isFeed = true
      this.look?.(chunk, near.remotePort ?? 0)
      if (!near.destroyed) far.write(chunk)
    })
    far.on('data', (chunk: Buffer) => near.write(chunk))
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => {
        this.#pairs.delete(pair)
        other.destroy()
      })
    }
    if (this.#isCut) far.pause()
    else near.resume()
  }
}
