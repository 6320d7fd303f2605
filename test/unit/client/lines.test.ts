import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DenseLine } from '../../../client/src/dense-line.ts'
import { DmLine, type DmState } from '../../../client/src/dm-line.ts'
import { MAX_HELD } from '../../../client/src/held.ts'

const place = (ms: number, seq: number) => ({ ms, seq })

describe('a dense line', () => {
  const make = (at?: { ms: number; seq: number }) => {
    const out: string[] = []
    const line = new DenseLine<string>((item) => out.push(item), at)
    const take = (ms: number, seq: number, settled = false) => line.take(ms, seq, `${ms}-${seq}`, settled)
    return { line, out, take }
  }

  it('delivers what comes in order and drops what comes twice', () => {
    const { line, out, take } = make(place(10, 4))
    expect([take(11, 5), take(11, 6), take(11, 5), take(10, 4)]).toEqual(['next', 'next', 'seen', 'seen'])
    expect(out).toEqual(['11-5', '11-6'])
    expect(line.at).toBe('11-6')
  })

  it('holds what comes after a jump until the hole is filled', () => {
    const { line, out, take } = make(place(10, 4))
    expect([take(13, 7), take(12, 6), take(12, 6)]).toEqual(['jump', 'jump', 'jump'])
    expect(out).toEqual([])
    expect(line.at).toBe('10-4')
    expect(take(11, 5)).toBe('next')
    expect(out).toEqual(['11-5', '12-6', '13-7'])
    expect(line.broken).toBe(false)
  })

  it('takes what a sync brings as it comes, in order with what is held', () => {
    const { out, take } = make(place(10, 4))
    take(20, 12)
    take(30, 20)
    expect(take(25, 15, true)).toBe('next')
    expect(out).toEqual(['20-12', '25-15'])
    expect(take(20, 12, true)).toBe('seen')
  })

  it('goes on from the head of a sync, and keeps holding what lies beyond', () => {
    const { line, out, take } = make(place(10, 4))
    take(20, 12)
    take(30, 14)
    line.settle(place(20, 12))
    expect(out).toEqual(['20-12'])
    expect(line.broken).toBe(true)
    take(25, 13)
    expect(out).toEqual(['20-12', '25-13', '30-14'])
  })

  it('delivers what the log has lost since it was held, and goes on from the head', () => {
    const { line, out, take } = make(place(10, 4))
    take(20, 12)
    const { heldTo } = line
    take(30, 5)
    take(31, 14)
    line.settle(place(10, 4), heldTo)
    expect(out).toEqual(['20-12', '30-5'])
    expect(line.at).toBe('30-5')
    // It came after the sync had been asked for: the next one tells.
    expect(line.broken).toBe(true)
  })

  it('sees a seq that goes back at a later time, and takes the new part once a sync has it', () => {
    const { line, out, take } = make(place(10, 50))
    expect(take(90, 49)).toBe('back')
    // Looks like the next one, but belongs to the new part.
    expect(take(91, 51)).toBe('jump')
    expect(take(9, 49)).toBe('seen')
    expect(take(80, 48, true)).toBe('next')
    expect(take(90, 49, true)).toBe('seen')
    expect(take(90, 50, true)).toBe('next')
    expect(out).toEqual(['80-48', '90-49', '90-50', '91-51'])
    expect(line.at).toBe('91-51')
  })

  it('goes back to a head that lies before what was known', () => {
    const { line, out, take } = make(place(10, 50))
    take(90, 48)
    line.rebase(place(9, 47))
    expect(out).toEqual(['90-48'])
    expect(line.at).toBe('90-48')
  })

  it('holds everything until its start is known', () => {
    const { line, out, take } = make()
    expect([take(10, 4), take(12, 6)]).toEqual(['jump', 'jump'])
    line.settle(place(10, 4))
    expect(out).toEqual(['10-4'])
    expect(line.at).toBe('10-4')
    take(11, 5)
    expect(out).toEqual(['10-4', '11-5', '12-6'])
  })

  it('holds no more than its bound, and says that something fell out', () => {
    const { line, out, take } = make(place(1, 1))
    for (let seq = 3; seq < 3 + MAX_HELD; seq++) take(2, seq)
    expect(line.overflowed).toBe(false)
    take(2, 3 + MAX_HELD)
    expect(line.overflowed).toBe(true)
    take(2, 2)
    expect(out).toHaveLength(MAX_HELD + 1)
    expect(line.at).toBe(`2-${2 + MAX_HELD}`)
  })

  it('forgets what it holds when the line is lost, so that it can come again', () => {
    const { line, out, take } = make(place(1, 1))
    take(3, 3)
    line.drop()
    take(2, 2)
    expect(out).toEqual(['2-2'])
    expect(take(3, 3)).toBe('next')
  })

  it('delivers everything once and in order, however it is shuffled and repeated', () => {
    const arrivals = fc.integer({ min: 1, max: 40 }).chain((count) =>
      fc.shuffledSubarray(
        Array.from({ length: count * 2 }, (_, at) => (at % count) + 1),
        { minLength: count * 2, maxLength: count * 2 },
      ),
    )
    fc.assert(
      fc.property(arrivals, (seqs) => {
        const { line, out, take } = make(place(0, 0))
        for (const seq of seqs) take(100 + Math.floor(seq / 3), seq)
        const wanted = [...new Set(seqs)]
          .sort((a, b) => a - b)
          .map((seq) => `${100 + Math.floor(seq / 3)}-${seq}`)
        expect(out).toEqual(wanted)
        expect(line.broken).toBe(false)
      }),
    )
  })
})

describe("a dm's line", () => {
  const make = () => {
    const out: string[] = []
    /** What the inbox has behind all others. */
    const late = new Set<string>()
    const line = new DmLine<string>(
      (item) => out.push(item),
      (held) => late.has(held),
    )
    const take = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`)
    return { line, out, take, late }
  }

  it('begins anywhere', () => {
    const { out, take } = make()
    expect([take(10, 7), take(11, 8), take(10, 7)]).toEqual(['next', 'next', 'seen'])
    expect(out).toEqual(['10-7', '11-8'])
  })

  it('delivers what was before its beginning when it comes late', () => {
    const { out, take } = make()
    expect([take(10, 7), take(9, 6), take(9, 6)]).toEqual(['next', 'next', 'seen'])
    expect(out).toEqual(['10-7', '9-6'])
  })

  it('[P1] knows a lost message from the one that has its seq now, though what follows came first', () => {
    const { out, take } = make()
    // 11-2 is lost; 20-2 came into its place, and one's own 21-3 is acked before the inbox brings it.
    expect([take(10, 1), take(11, 2), take(21, 3), take(20, 2), take(20, 2)]).toEqual([
      'next',
      'next',
      'next',
      'next',
      'seen',
    ])
    expect(out).toEqual(['10-1', '11-2', '21-3', '20-2'])
  })

  it('[P4] knows it after a restart, too', () => {
    const { line, out, take } = make()
    line.restore({ ms: 11, seq: 2, holes: [] })
    expect([take(11, 2), take(21, 3), take(20, 2), take(20, 2)]).toEqual(['seen', 'next', 'next', 'seen'])
    expect(out).toEqual(['21-3', '20-2'])
  })

  it('[P1] knows several that came into the places of lost ones, which an earlier run has shown', () => {
    const { line, out, take } = make()
    line.restore({ ms: 11, seq: 3, holes: [] })
    // 2 and 3 are lost; one's own 22-4 is acked before the inbox brings what came before it.
    expect([take(22, 4), take(20, 2), take(21, 3), take(10, 2), take(20, 2)]).toEqual([
      'next',
      'next',
      'next',
      'seen',
      'seen',
    ])
    expect(out).toEqual(['22-4', '20-2', '21-3'])
  })

  it('[P2] knows what it has forgotten the time of for delivered', () => {
    const { take } = make()
    for (let seq = 1; seq <= 300; seq++) take(seq, seq)
    expect([take(100, 100), take(200, 200), take(201, 200)]).toEqual(['seen', 'seen', 'next'])
  })

  it('[P2] has the holes of an earlier run once, however often it is told of them', () => {
    const { line } = make()
    const state: DmState = {
      ms: 15,
      seq: 6,
      holes: [
        [1, 2],
        [4, 5],
      ],
    }
    line.restore(state)
    line.restore(state)
    expect(line.state).toEqual(state)
  })

  it('[P2] shows none twice where the log went back and what came behind it was held', () => {
    const { line, out, take } = make()
    take(10, 1)
    take(11, 2)
    const early = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, false, true)
    const synced = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, true, true)
    expect([early(21, 3), synced(20, 2), synced(21, 3), take(22, 4), take(10, 1)]).toEqual([
      'jump',
      'back',
      'next',
      'next',
      'seen',
    ])
    line.release()
    expect(out).toEqual(['10-1', '11-2', '20-2', '21-3', '22-4'])
  })

  it('holds its first message while older ones may be on their way', () => {
    const { line, out, take } = make()
    const early = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, false, true)
    expect([early(12, 7), early(14, 9)]).toEqual(['jump', 'jump'])
    expect([take(11, 6), take(12, 7), take(13, 8), take(14, 9)]).toEqual(['next', 'seen', 'next', 'seen'])
    expect(out).toEqual(['11-6', '12-7', '13-8', '14-9'])
    const other = make()
    expect(other.line.take(10, 1, '10-1', false, true)).toBe('jump')
    other.line.take(13, 4, '13-4', false, true)
    other.line.release()
    expect([other.take(12, 3), other.take(13, 4)]).toEqual(['next', 'seen'])
    expect(other.out).toEqual(['10-1', '13-4', '12-3'])
  })

  it('holds what follows a hole while the inbox may still fill it', () => {
    const { line, out, take } = make()
    const early = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, false, true)
    const synced = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, true, true)
    take(10, 1)
    take(12, 3)
    line.release()
    expect([early(13, 4), early(14, 5)]).toEqual(['jump', 'jump'])
    expect([synced(11, 2), synced(13, 4), synced(14, 5)]).toEqual(['next', 'seen', 'seen'])
    expect(out).toEqual(['10-1', '12-3', '11-2', '13-4', '14-5'])
    line.release()
    expect([take(14, 5), take(15, 6)]).toEqual(['seen', 'next'])
  })

  it('holds what fills a hole while the inbox may still bring what goes before', () => {
    const { line, out, take } = make()
    take(13, 3) // an own one: 1 and 2 are holes
    expect(line.take(12, 2, '12-2', false, true)).toBe('jump')
    expect([line.take(11, 1, '11-1', true, true), out.length]).toEqual(['next', 2])
    line.release()
    expect([take(12, 2), take(14, 4)]).toEqual(['seen', 'next'])
    expect(out).toEqual(['13-3', '11-1', '12-2', '14-4'])
  })

  it('begins behind what was held for it', () => {
    const { line, out, take } = make()
    line.take(12, 7, '12-7', false, true)
    expect([take(14, 9), take(12, 7), take(14, 9), take(15, 10)]).toEqual(['next', 'seen', 'seen', 'next'])
    expect(out).toEqual(['12-7', '14-9', '15-10'])
  })

  it('[P3] lets what the inbox has behind others wait for its turn, whatever the ids say', () => {
    const { line, out, late } = make()
    late.add('20-2')
    expect(line.take(20, 2, '20-2', false, true)).toBe('jump')
    const synced = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, true, true)
    expect([synced(22, 4), synced(19, 1), synced(20, 2)]).toEqual(['next', 'next', 'next'])
    line.release()
    expect(out).toEqual(['22-4', '19-1', '20-2'])
  })

  it('[P3] lets nothing wait behind what waits for its turn', () => {
    const { line, out, late } = make()
    late.add('16-3')
    line.take(16, 3, '16-3', false, true)
    line.take(18, 5, '18-5', false, true) // an own one, which has no place in the inbox
    expect(line.take(20, 6, '20-6', true, true)).toBe('next')
    expect(out).toEqual(['18-5', '20-6'])
    line.release()
    expect(out).toEqual(['18-5', '20-6', '16-3'])
  })

  it('[P3] holds what comes of a new part of the log while its beginning may be on its way', () => {
    const { line, out, take } = make()
    const early = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, false, true)
    const synced = (ms: number, seq: number) => line.take(ms, seq, `${ms}-${seq}`, true, true)
    for (const seq of [1, 2, 3]) take(10, seq)
    expect([early(22, 3), early(21, 2)]).toEqual(['back', 'back'])
    expect([synced(20, 1), synced(22, 3)]).toEqual(['back', 'seen'])
    line.release()
    expect(out).toEqual(['10-1', '10-2', '10-3', '20-1', '21-2', '22-3'])
    expect(line.broken).toBe(false)
  })

  it('puts neighbours that come in the wrong order right', () => {
    const { out, take } = make()
    take(10, 7)
    expect([take(12, 9), take(11, 8)]).toEqual(['jump', 'next'])
    expect(out).toEqual(['10-7', '11-8', '12-9'])
  })

  it('remembers the holes it could not wait for', () => {
    const { line, out, take } = make()
    take(10, 1)
    take(15, 6)
    line.release()
    expect(out).toEqual(['10-1', '15-6'])
    expect([take(13, 4), take(13, 4), take(12, 3), take(14, 5), take(11, 2)]).toEqual([
      'next',
      'seen',
      'next',
      'next',
      'next',
    ])
    expect([take(11, 2), take(12, 3), take(14, 5), take(15, 6)]).toEqual(['seen', 'seen', 'seen', 'seen'])
  })

  it('begins anew where the seq goes back at a later time', () => {
    const { out, take } = make()
    take(10, 50)
    expect(take(90, 48)).toBe('back')
    expect(take(91, 49)).toBe('next')
    expect(out).toEqual(['10-50', '90-48', '91-49'])
  })

  it('does not hold more than its bound', () => {
    const { out, take } = make()
    take(1, 1)
    for (let seq = 3; seq < 3 + MAX_HELD; seq++) take(2, seq)
    expect(out).toHaveLength(MAX_HELD + 1)
    expect(take(2, 2)).toBe('next')
  })

  it('delivers everything once, whatever the order and however often it is released', () => {
    const steps = fc.array(
      fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 30 }) }, fc.constant('release')),
      {
        maxLength: 120,
      },
    )
    fc.assert(
      fc.property(steps, (all) => {
        const { line, out, take } = make()
        for (const step of all) {
          if (typeof step === 'number') take(step, step)
          else line.release()
        }
        line.release()
        const wanted = new Set(all.filter((step) => step !== 'release').map((seq) => `${seq}-${seq}`))
        expect([...out].sort()).toEqual([...wanted].sort())
      }),
    )
  })
})
