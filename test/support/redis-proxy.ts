/**
 * A line to Redis on which a test has its hand: a gateway's commands and their answers pass through it until one comes
 * by that the test waits for. Then the test does what networks do, at exactly that point.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What is waited for, and what happens to the line that carries it. */
interface Trap {
  words: string
  /** stop: it does not reach Redis · silence: it does, and is not answered · lose: the publish with it vanishes */
  does: 'stop' | 'silence' | 'lose'
  sprung: (line: HeldLine) => void
}

/** A line on which nothing passes any more. */
export interface HeldLine {
  /** Ends it, as a network does that has gone. */
  cut(): void
}

export class RedisProxy {
  readonly url: string
  readonly #server: Server
  readonly #target: { host: string; port: number }
  readonly #sockets = new Set<Socket>()
  readonly #traps = new Set<Trap>()

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server
    this.#target = target
    this.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (gateway: Socket) => this.#carry(gateway))
  }

  static async start(redisUrl: string): Promise<RedisProxy> {
    const { hostname, port } = new URL(redisUrl)
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new RedisProxy(server, { host: hostname, port: Number(port) })
  }

  /** Ends all lines and takes no more. */
  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  /** Stops a line at the next command that holds these words: neither it nor what is behind it reaches Redis. */
  stopsAt(words: string): Promise<HeldLine> {
    return this.#trap(words, 'stop')
  }

  /** Lets the next command with these words through, but no answer: resolves when Redis has given it. */
  silencesAnswerTo(words: string): Promise<HeldLine> {
    return this.#trap(words, 'silence')
  }

  /** Loses the next publish with these words on its way to a subscriber; all others pass. */
  async loses(words: string): Promise<void> {
    await this.#trap(words, 'lose')
  }

  #trap(words: string, does: Trap['does']): Promise<HeldLine> {
    return new Promise((sprung) => this.#traps.add({ words, does, sprung }))
  }

  #carry(gateway: Socket): void {
    const redis = connect({ ...this.#target, noDelay: true })
    const line: HeldLine = { cut: () => gateway.destroy() }
    let held: Trap | undefined
    for (const [socket, other] of [
      [gateway, redis],
      [redis, gateway],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    gateway.on('data', (piece) => {
      if (held) return
      const trap = this.#springs(piece, ['stop', 'silence'])
      held = trap
      if (trap?.does === 'stop') trap.sprung(line)
      else redis.write(piece)
    })
    redis.on('data', (piece) => {
      if (held?.does === 'silence') held.sprung(line)
      if (held) return
      let rest = piece as Buffer
      for (let lost = this.#springs(rest, ['lose']); lost; lost = this.#springs(rest, ['lose'])) {
        rest = withoutPublish(rest, lost.words)
        lost.sprung(line)
      }
      if (rest.length > 0) gateway.write(rest)
    })
  }

  /** @returns the trap that this piece springs, which is one no more */
  #springs(piece: Buffer | string, does: Trap['does'][]): Trap | undefined {
    for (const trap of this.#traps) {
      if (!does.includes(trap.does) || !piece.includes(trap.words)) continue
      this.#traps.delete(trap)
      return trap
    }
    return undefined
  }
}

/** @returns what came from Redis without the publish that holds these words: three strings, each with its length */
function withoutPublish(piece: Buffer, words: string): Buffer {
  const start = piece.lastIndexOf('3\r\n$8\r\nsmessage', piece.indexOf(words)) - 1
  let end = start + '*3\r\n'.length
  for (let part = 0; part < 3; part++) {
    const line = piece.indexOf('\r\n', end)
    end = line + 2 + Number(piece.toString('latin1', end + 1, line)) + 2
  }
  if (start < 0 || !(end <= piece.length)) throw new Error(`no whole publish holds ${words}`)
  return Buffer.concat([piece.subarray(0, start), piece.subarray(end)])
}
