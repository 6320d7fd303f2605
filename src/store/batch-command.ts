/**
 * A batch's EVALSHA on its way to Redis. The client library takes a command's words apart and together again several times,
 * which for hundreds of them costs more than all the rest of a message; here each job brings its own as they go over the
 * wire. Everything else (where to, in which order, whose reply, what if the line breaks) stays with the library.
 */
import { Command } from 'ioredis'

/** @returns a word as RESP has it */
export function bulk(word: string | number): string {
  const text = typeof word === 'string' ? word : String(word)
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

export interface BatchScript {
  lua: string
  /** The digest by which Redis knows it, hex. */
  sha: string
}

export class BatchCommand extends Command {
  readonly #start: string
  readonly #words: string

  /**
   * @param how by its digest, or with its text where Redis doesn't know it yet
   * @param here the key that says where it runs, in a cluster
   * @param count how many words follow  @param words these, as RESP has them
   */
  constructor(
    { lua, sha }: BatchScript,
    how: 'evalsha' | 'eval',
    here: string | undefined,
    { count, words }: { count: number; words: string },
  ) {
    const script = how === 'evalsha' ? sha : lua
    const start = here === undefined ? [script, '0'] : [script, '1', here]
    // The library reads the key from these.
    super(how, start, { replyEncoding: 'utf8' })
    this.#start = `*${1 + start.length + count}\r\n${bulk(how)}${start.map(bulk).join('')}`
    this.#words = words
  }

  override toWritable(): string {
    return this.#start + this.#words
  }
}

/** Whether Redis has said that it doesn't know a script. */
export const isUnknownScript = (fault: unknown): boolean =>
  fault instanceof Error && fault.message.startsWith('NOSCRIPT')
