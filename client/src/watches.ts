/**
 * Whose presence this client has asked for. The server forgets it with the connection, so it is asked for
 * again in every session.
 */
import { WATCH_PER_FRAME } from '@starling/protocol/limits'
import type { Requests } from './requests.ts'
import type { Presence } from './types.ts'

export class Watches {
  readonly #requests: Requests
  readonly #users = new Set<string>()

  constructor(requests: Requests) {
    this.#requests = requests
  }

  async watch(users: readonly string[]): Promise<Presence> {
    const replies = await Promise.all(
      chunks(users).map(async (chunk) => {
        const reply = await this.#requests.insist<'ok'>({ op: 'watch', users: chunk })
        // Only now: what the server has refused is not asked for again.
        for (const user of chunk) this.#users.add(user)
        return presenceOf(reply)
      }),
    )
    return merge(replies)
  }

  async unwatch(users: readonly string[]): Promise<void> {
    for (const user of users) this.#users.delete(user)
    await Promise.all(chunks(users).map((chunk) => this.#requests.insist({ op: 'unwatch', users: chunk })))
  }

  /** In a new session. @returns what may have changed meanwhile, or undefined where nobody is watched */
  async renew(): Promise<Presence | undefined> {
    if (this.#users.size === 0) return undefined
    const asked = chunks([...this.#users]).map((users) => this.#requests.ask<'ok'>({ op: 'watch', users }))
    return merge((await Promise.all(asked)).map(presenceOf))
  }
}

function chunks(users: readonly string[]): string[][] {
  const all: string[][] = []
  for (let at = 0; at < users.length; at += WATCH_PER_FRAME) all.push(users.slice(at, at + WATCH_PER_FRAME))
  return all
}

/** The reply has `presence`, or `total` where everybody is watched. */
function presenceOf(reply: { [field: string]: unknown }): Presence {
  const { presence, total } = reply
  const { on = [], off = [] } = (presence ?? {}) as Partial<Presence>
  return typeof total === 'number' ? { on, off, total } : { on, off }
}

function merge(parts: readonly Presence[]): Presence {
  const total = parts.find((part) => part.total !== undefined)?.total
  return {
    on: parts.flatMap(({ on }) => on),
    off: parts.flatMap(({ off }) => off),
    ...(total !== undefined && { total }),
  }
}
