/**
 * What is shown in a terminal is read. Says so for the newest message of each conversation, at most once a
 * second, so that other devices and the other user see it.
 */
import type { Client, Message } from '../client/src/index.ts'

const EVERY_MS = 1_000

export class ReadMarks {
  readonly #client: Client
  readonly #newest = new Map<string, string>()
  /** Everything shown, so that history loaded later doesn't show it again. */
  readonly #shown = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** @returns false for what was shown before */
  add({ conv, id }: Message): boolean {
    const key = `${conv} ${id}`
    if (this.#shown.has(key)) return false
    this.#shown.add(key)
    this.#newest.set(conv, id)
    this.#timer ??= setTimeout(() => void this.flush(), EVERY_MS)
    return true
  }

  /** Says now what is due. Without a session there is nobody to tell; the next run knows it as unread. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const marks = [...this.#newest]
    this.#newest.clear()
    if (this.#client.state !== 'live') return
    await Promise.allSettled(marks.map(([conv, id]) => this.#client.read(conv, id)))
  }
}
