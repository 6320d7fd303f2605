/**
 * Messages that come again under another id: Redis had lost the first one in a failover, and its sender, who had no ack or
 * asked again, has sent it anew. Nobody wants to see it twice.
 */
import type { MessageFrame } from '@starling/protocol/frames'
import { msOf } from '@starling/protocol/ids'
import { REF_TTL_MS } from '@starling/protocol/limits'

/** So many messages are remembered, the newest. */
const REMEMBERED = 5_000

export class Retold {
  /** conversation, sender and ref → id */
  readonly #ids = new Map<string, string>()

  /**
   * Notes a message that is about to be delivered.
   * @returns the id under which it was delivered before; undefined for a new one
   */
  before({ conv, from, ref, id }: MessageFrame): string | undefined {
    if (ref === undefined) return undefined
    const key = `${conv} ${from} ${ref}`
    const known = this.#ids.get(key)
    this.#ids.delete(key)
    this.#ids.set(key, id)
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.keys().next().value as string)
    // A ref is stored once within this time, whatever happens; later it may be another message's.
    return known !== undefined && msOf(id) - msOf(known) < REF_TTL_MS ? known : undefined
  }
}
