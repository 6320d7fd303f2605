import { describe, expect, it } from 'vitest'
import { Turns } from '../../../src/lib/turns.ts'

describe('turns', () => {
  it('do one piece of work after the other, whatever becomes of them', async () => {
    const turns = new Turns()
    const gate = Promise.withResolvers<void>()
    const done: string[] = []
    const first = turns.take(async () => {
      await gate.promise
      done.push('first')
      throw new Error('no')
    })
    const second = turns.take(() => done.push('second'))
    expect([turns.count, done]).toEqual([2, []])
    gate.resolve()
    await expect(first).rejects.toThrow('no')
    expect(await second).toBe(2)
    expect(done).toEqual(['first', 'second'])
    await turns.take(() => {})
    expect(turns.count).toBe(0)
  })
})
