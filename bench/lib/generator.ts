/**
 * Load generators: child processes that hold connections and make load, one command at a time. What they do is in
 * `load/`; here they are started, asked and ended.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Watched } from './cpu.ts'
import { end, own } from './owned.ts'

export interface Command {
  name: string
  argument: unknown
}

export type Answer = { ok: true; result: unknown } | { ok: false; fault: string }

/** What a kind of generator can be asked: command → argument and result. */
type Contract = Record<string, { argument: unknown; result: unknown }>

export class Generator<Commands extends Contract> {
  readonly name: string
  readonly #child: ChildProcess

  /** @param script the file of `load/` to run */
  constructor(script: string, name: string) {
    this.name = name
    this.#child = own(
      fork(fileURLToPath(new URL(`../load/${script}`, import.meta.url)), [], {
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    )
  }

  get watched(): Watched {
    return { name: this.name, pid: this.#child.pid!, role: 'generator' }
  }

  /** Asks one thing. @throws Error with the generator's fault, or when it dies */
  async ask<Name extends keyof Commands & string>(
    name: Name,
    argument: Commands[Name]['argument'],
  ): Promise<Commands[Name]['result']> {
    const over = new AbortController()
    try {
      this.#child.send({ name, argument } satisfies Command)
      const [answer] = (await Promise.race([
        once(this.#child, 'message', { signal: over.signal }),
        once(this.#child, 'exit', { signal: over.signal }).then(([code]) => {
          throw new Error(`${this.name} ended with code ${code}`)
        }),
      ])) as [Answer]
      if (!answer.ok) throw new Error(`${this.name}: ${answer.fault}`)
      return answer.result as Commands[Name]['result']
    } finally {
      over.abort()
    }
  }

  close(): Promise<void> {
    return end(this.#child)
  }
}

/** Starts as many generators as there are items, and asks for their end when the work is over. */
export async function withGenerators<Commands extends Contract, Result>(
  script: string,
  count: number,
  work: (generators: Generator<Commands>[]) => Promise<Result>,
): Promise<Result> {
  const generators = Array.from(
    { length: count },
    (_, index) => new Generator<Commands>(script, `generator-${index + 1}`),
  )
  try {
    return await work(generators)
  } finally {
    await Promise.all(generators.map((generator) => generator.close()))
  }
}

/** @returns the items of one of `count` generators; neighbours stay together, since they differ in their gateway */
export function share<Item>(items: readonly Item[], index: number, count: number): Item[] {
  return items.filter((_, at) => Math.floor(at / 2) % count === index)
}
