/** The lines in which jobs wait: which travel together, and which wait for which. */
import { setImmediate as turn } from 'node:timers/promises'
import { ProtocolError } from '@starling/protocol/errors'
import { describe, expect, it } from 'vitest'
import { type Job, Lines, type Place } from '../../../src/store/lines.ts'

/** Lines to places that answer when they are told to. */
function world({ atOnce = false } = {}) {
  const moved = new Map<number, Place>()
  const taken: string[] = []
  const calls: { jobs: string[]; end(fault?: ProtocolError): Promise<void> }[] = []
  const lines = new Lines<string>({
    placeOf: (bucket) => moved.get(bucket) ?? (bucket < 10 ? 'A' : 'B'),
    atOnce,
    onTaken: (jobs) => taken.push(...jobs.map(({ words }) => words)),
    send: (jobs) =>
      new Promise((resolve) => {
        calls.push({
          jobs: jobs.map(({ words }) => words),
          async end(fault) {
            for (const job of jobs) fault ? job.reject(fault) : job.resolve('done')
            resolve(fault)
            await turn()
          },
        })
      }),
  })
  const add = (bucket: number, words: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const outcome = promise.catch((fault: unknown) => fault)
    lines.add({ bucket, words, resolve, reject } satisfies Job<string>)
    return { outcome }
  }
  return {
    moved,
    taken,
    add,
    sent: () => calls.map(({ jobs }) => jobs.join(' ')),
    end: (at: number, fault?: ProtocolError) => calls[at]!.end(fault),
  }
}

describe('lines', () => {
  it('brings together what lies in one place, with one call under way to each', async () => {
    const { add, sent, end } = world()
    for (const [bucket, words] of [
      [1, 'a'],
      [2, 'b'],
      [11, 'c'],
    ] as const)
      add(bucket, words)
    await turn()
    add(1, 'd')
    add(12, 'e')
    await turn()
    expect(sent()).toEqual(['a b', 'c'])
    await end(1)
    expect(sent()).toEqual(['a b', 'c', 'e'])
    await end(0)
    expect(sent()).toEqual(['a b', 'c', 'e', 'd'])
  })

  it('[P3] lets no job of a bucket that moves overtake those before it', async () => {
    const { add, moved, sent, end } = world()
    add(1, 'a1')
    await turn()
    add(1, 'a2')
    add(2, 'b')
    moved.set(1, 'B')
    add(1, 'a3')
    add(11, 'c')
    await turn()
    expect(sent()).toEqual(['a1', 'c'])
    await end(0)
    // Each call is of one place, the one where its jobs lie as of now.
    expect(sent()).toEqual(['a1', 'c', 'a2'])
    await end(2)
    await end(3)
    await end(4)
    expect(sent()).toEqual(['a1', 'c', 'a2', 'b', 'a3'])
    // None of it is left in the old line: it goes with those of the new one.
    await end(1)
    add(1, 'a4')
    add(11, 'd')
    await turn()
    expect(sent().at(-1)).toBe('a4 d')
  })

  it('gives up what waits behind a call that found nobody, and nothing else', async () => {
    const { add, moved, taken, sent, end } = world()
    const fault = new ProtocolError('unavailable', 'nobody there')
    add(1, 'a')
    await turn()
    const [lost, kept] = [add(2, 'b'), add(3, 'c')] as const
    moved.set(3, 'B')
    await end(0, fault)
    expect(await lost.outcome).toBe(fault)
    expect(sent()).toEqual(['a', 'c'])
    // Nobody may join what waits no more.
    expect(taken).toEqual(['a', 'b', 'c'])
    await end(1)
    expect(await kept.outcome).toBe('done')
    add(2, 'd')
    await turn()
    expect(sent()).toEqual(['a', 'c', 'd'])
  })

  it('sends what only reads at once, in as many calls as it takes', async () => {
    const { add, sent } = world({ atOnce: true })
    for (let i = 0; i < 300; i++) add(1, `${i}`)
    await turn()
    expect(sent().map((jobs) => jobs.split(' ').length)).toEqual([256, 44])
  })
})
