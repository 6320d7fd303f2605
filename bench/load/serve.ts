/**
 * The child's side of a load generator: commands of the bench come in over the channel, each is answered with its
 * result or its fault. When the channel breaks, the bench is gone, and so are we.
 */
import type { Answer, Command } from '../lib/generator.ts'

type Handlers = Record<string, (argument: never) => unknown>

/** Serves commands until the bench is gone. */
export function serve(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', ({ name, argument }: Command) => {
    void Promise.resolve(argument as never)
      .then(handlers[name]!)
      .then(
        (result) => answer({ ok: true, result }),
        (fault: unknown) =>
          answer({ ok: false, fault: fault instanceof Error ? fault.message : String(fault) }),
      )
  })
}

function answer(words: Answer): void {
  process.send?.(words)
}
