/**
 * A connection as tests speak of it: it says hello, sends, syncs, asks and is refused. Whatever line carries
 * the frames (wire-client.ts, harness-tcp.ts) has this face; no expectation about a gateway stands here
 * except that a reply comes.
 */
import { randomUUID } from 'node:crypto'
import type { MessageFrame, ServerFrame, ServerFrameOf, ServerOp, Welcome } from '@starling/protocol/frames'
import { FrameLog, type Match } from './frame-log.ts'

export interface HelloFields {
  token: string
  device: string
  platform?: string
  inbox?: string
}

export interface SendFields {
  ref?: string
  reply?: string
  mentions?: string[]
  retry?: boolean
}

/** What `sync` brought, in the order it came. */
export interface Synced {
  batches: MessageFrame[][]
  messages: MessageFrame[]
  synced: ServerFrameOf<'synced'>
}

/** Anybody a message can go to. */
export interface Addressee {
  target: string
}

const PROMPTLY_MS = 5_000

/** @returns a text body */
export const text = (words: string) => ({ type: 'text' as const, text: words })

export abstract class Client extends FrameLog {
  #welcome: Welcome | undefined
  #device: string | undefined

  /** Sends a value as a frame, a string as it is. */
  abstract say(frame: object | string | Buffer): void
  abstract close(): Promise<void>
  abstract drop(): void

  get welcome(): Welcome {
    if (!this.#welcome) throw new Error('no welcome yet')
    return this.#welcome
  }

  /** The user of this session. */
  get id(): string {
    return this.welcome.user.id
  }

  get target(): string {
    return `user:${this.id}`
  }

  get device(): string {
    return this.#device ?? ''
  }

  get session(): string {
    return this.welcome.session
  }

  /** Says hello and waits for the welcome. */
  async hello(fields: HelloFields): Promise<Welcome> {
    this.#device = fields.device
    const reply = await this.ask({ op: 'hello', ...fields })
    if (reply.op !== 'welcome') throw new Error(`no welcome but ${JSON.stringify(reply)}`)
    this.#welcome = reply
    return reply
  }

  /** Sends a frame, giving it a `ref` where it has none, and waits for the reply, whatever it is. */
  async ask(frame: { op: string; ref?: string; [field: string]: unknown }): Promise<ServerFrame> {
    const ref = frame.ref ?? randomUUID()
    const reply = this.reply(ref, PROMPTLY_MS)
    this.say({ ...frame, ref })
    return reply
  }

  /** Sends a frame whose reply must be of this kind. */
  async gets<Op extends ServerOp>(
    op: Op,
    frame: { op: string; ref?: string; [field: string]: unknown },
  ): Promise<ServerFrameOf<Op>> {
    const reply = await this.ask(frame)
    if (reply.op !== op) throw new Error(`${frame.op}: no ${op} but ${JSON.stringify(reply)}`)
    return reply as ServerFrameOf<Op>
  }

  /** Sends a frame that must be refused. */
  async refused(frame: {
    op: string
    ref?: string
    [field: string]: unknown
  }): Promise<ServerFrameOf<'error'>> {
    return this.gets('error', frame)
  }

  /** A `send` frame, with a fresh `ref` where none is given. */
  sendFrame(to: Addressee | string, body: string | object, fields: SendFields = {}) {
    return {
      op: 'send',
      ref: randomUUID() as string,
      to: typeof to === 'string' ? to : to.target,
      body: typeof body === 'string' ? text(body) : body,
      ...fields,
    }
  }

  /** Sends a message that must be acked. */
  async send(
    to: Addressee | string,
    body: string | object,
    fields: SendFields = {},
  ): Promise<ServerFrameOf<'ack'>> {
    return this.gets('ack', this.sendFrame(to, body, fields))
  }

  /** Sends a message that must be refused. */
  async sendRefused(
    to: Addressee | string,
    body: string | object,
    fields: SendFields = {},
  ): Promise<ServerFrameOf<'error'>> {
    return this.refused(this.sendFrame(to, body, fields))
  }

  async ping(): Promise<ServerFrameOf<'pong'>> {
    return this.gets('pong', { op: 'ping' })
  }

  /** Syncs from these positions and waits until all has come. */
  async sync(positions: { inbox?: string; convs?: Record<string, string> } = {}): Promise<Synced> {
    const ref = randomUUID()
    const synced = await this.gets('synced', { op: 'sync', ref, ...positions })
    const batches = this.seen('batch', (batch) => batch.ref === ref).map((batch) => batch.frames)
    return { batches, messages: batches.flat(), synced }
  }

  /**
   * Makes sure that no frame of this kind has come, bounded by a round trip: what the gateway had sent before
   * its `pong` is here then. With `after`, that other session first sends a message to this one, and what was
   * published before it is here too.
   */
  async expectsNothing<Op extends ServerOp>(
    op: Op,
    match: Match<Op> = {},
    { after }: { after?: Client } = {},
  ): Promise<void> {
    if (after) {
      const marker = await after.send(this, { type: 'custom', marker: randomUUID() })
      await this.expects('message', { id: marker.id, conv: marker.conv } as Match<'message'>)
    }
    await this.ping()
    const unexpected = this.unseen(op, match)
    if (unexpected.length > 0) throw new Error(`expected no ${op}, but got ${JSON.stringify(unexpected)}`)
  }
}
