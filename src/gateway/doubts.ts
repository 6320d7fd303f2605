/**
 * Whose live stream cannot be trusted: the feed of these buckets has broken, and what was lost meanwhile is not known yet.
 * Nothing of theirs is passed on until it is. A removal may be among it, and after a failover that took a part of the log
 * back what comes next may follow without a jump on what clients have, and hide what they lack.
 */
export class Doubts {
  readonly #bucketOf: (topic: string) => number
  /** bucket → how many of its breaks are not dealt with */
  readonly #breaks = new Map<number, number>()
  readonly #waiting = new Set<{ topic: string; resolve: () => void }>()

  /** @param bucketOf the bucket by whose channel a user's or a conversation's topic is told */
  constructor(bucketOf: (topic: string) => number) {
    this.#bucketOf = bucketOf
  }

  /** Whether something of this topic may be missing. */
  about(topic: string): boolean {
    return this.#breaks.size > 0 && this.#breaks.has(this.#bucketOf(topic))
  }

  /** Resolves when nothing of this topic is in doubt. */
  async settled(topic: string): Promise<void> {
    while (this.about(topic)) await new Promise<void>((resolve) => this.#waiting.add({ topic, resolve }))
  }

  /** How many wait for something to be settled. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** The feed of these buckets has broken. */
  begin(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) this.#breaks.set(bucket, (this.#breaks.get(bucket) ?? 0) + 1)
  }

  /** One break of each of these buckets is dealt with. */
  end(buckets: ReadonlySet<number>): void {
    for (const bucket of buckets) {
      const others = (this.#breaks.get(bucket) ?? 0) - 1
      if (others > 0) this.#breaks.set(bucket, others)
      else this.#breaks.delete(bucket)
    }
  }

  /** Lets those go on who wait for what is settled now. */
  release(): void {
    for (const waiting of this.#waiting) {
      if (this.about(waiting.topic)) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }

  /** Nobody is here any more, and the feed is a new one. */
  reset(): void {
    this.#breaks.clear()
    this.release()
  }
}
