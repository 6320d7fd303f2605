/** History by HTTP, as a client loads it: page by page, from whichever gateway answers, until it has all. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Seen } from '../history.ts'

const PAGE = 100
const AGAIN_MS = 250

export interface HttpAccess {
  /** Gateways' URLs. */
  urls: readonly string[]
  /** A token of this user. */
  token: (user: string) => string
}

/** Asks as a user until there is an answer that is no refusal for the moment. Any gateway will do. */
export async function ask<Body>(
  { urls, token }: HttpAccess,
  user: string,
  path: string,
  init: { method?: string; body?: unknown; withinMs?: number } = {},
): Promise<{ status: number; body: Body }> {
  const { method = 'GET', body, withinMs = 60_000 } = init
  const deadline = performance.now() + withinMs
  for (let attempt = Math.floor(Math.random() * urls.length); ; attempt++) {
    try {
      const answer = await fetch(`${urls[attempt % urls.length]}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token(user)}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      })
      const text = await answer.text()
      if (answer.status < 500 && answer.status !== 429) {
        return { status: answer.status, body: (text === '' ? undefined : JSON.parse(text)) as Body }
      }
      if (performance.now() > deadline) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    } catch (fault) {
      if (performance.now() > deadline) throw fault
    }
    await sleep(AGAIN_MS)
  }
}

/** @returns all of a conversation after a position; undefined where this user may not read it */
export async function loadHistory(
  access: HttpAccess,
  user: string,
  conv: string,
  after: string,
): Promise<Seen[] | undefined> {
  const all: Seen[] = []
  for (let from = after; ; from = all.at(-1)!.id) {
    const { status, body } = await ask<{ messages: Seen[]; more: boolean }>(
      access,
      user,
      `/conversations/${conv}/messages?after=${from}&limit=${PAGE}`,
    )
    if (status === 403 || status === 404) return undefined
    if (status !== 200) throw new Error(`history of ${conv}: ${status}`)
    all.push(...body.messages)
    if (!body.more || body.messages.length === 0) return all
  }
}
