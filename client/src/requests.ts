/**
 * Requests under way: each frame with a `ref` gets one reply, unless its line ends first. Sends are the
 * outbox's business.
 */
import type { ServerFrame } from '@starling/protocol/frames'
import { StarlingError } from './errors.ts'
import type { Refs } from './refs.ts'

export type Reply = Extract<ServerFrame, { op: 'ok' | 'pong' | 'synced' }>
export type ReplyOf<Op extends Reply['op']> = Extract<Reply, { op: Op }>

/** A request without its ref. */
export interface Question {
  op: string
  [field: string]: unknown
}

interface Pending {
  text: string
  /** Asked again on the next line, where this one ends before the reply: such a request can be done twice. */
  kept: boolean
  resolve: (reply: Reply) => void
  reject: (error: StarlingError) => void
}

const disconnected = () => new StarlingError('disconnected', 'the connection ended before the reply')

export class Requests {
  readonly #refs: Refs
  readonly #pending = new Map<string, Pending>()
  /** Says a frame on the session's line; undefined while there is no session. */
  #say: ((text: string) => void) | undefined
  #ended = false

  constructor(refs: Refs) {
    this.#refs = refs
  }

  /** Asks on this line only. Rejects with `disconnected` where there is none or it ends before the reply. */
  ask<Op extends Reply['op']>(question: Question): Promise<ReplyOf<Op>> {
    return this.#enter(question, false)
  }

  /** Asks until there is a reply, over as many lines as it takes. For what can be done twice without harm. */
  insist<Op extends Reply['op']>(question: Question): Promise<ReplyOf<Op>> {
    return this.#enter(question, true)
  }

  /** @returns whether the reply was to one of these requests */
  settle(reply: Reply | (ServerFrame & { op: 'error' })): boolean {
    const pending = reply.ref === undefined ? undefined : this.#pending.get(reply.ref)
    if (pending === undefined) return false
    this.#pending.delete(reply.ref as string)
    if (reply.op === 'error') pending.reject(new StarlingError(reply.code, reply.message, reply))
    else pending.resolve(reply)
    return true
  }

  /** A session has begun: what was kept is asked again, in the old order. */
  up(say: (text: string) => void): void {
    this.#say = say
    for (const { text } of this.#pending.values()) say(text)
  }

  /** The line has ended. */
  down(): void {
    this.#say = undefined
    for (const [ref, pending] of this.#pending) {
      if (pending.kept) continue
      this.#pending.delete(ref)
      pending.reject(disconnected())
    }
  }

  /** Nothing will be asked again. */
  end(): void {
    this.#ended = true
    for (const { reject } of this.#pending.values())
      reject(new StarlingError('closed', 'the client is closed'))
    this.#pending.clear()
  }

  #enter<Op extends Reply['op']>(question: Question, kept: boolean): Promise<ReplyOf<Op>> {
    return new Promise<Reply>((resolve, reject) => {
      if (this.#ended) return reject(new StarlingError('closed', 'the client is closed'))
      if (this.#say === undefined && !kept) return reject(disconnected())
      const ref = this.#refs()
      const text = JSON.stringify({ ...question, ref })
      this.#pending.set(ref, { text, kept, resolve, reject })
      this.#say?.(text)
    }) as Promise<ReplyOf<Op>>
  }
}
