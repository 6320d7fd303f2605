/** The judge is judged on presence: whom it must call a ghost, or said to be off while connected. */
import { describe, expect, it } from 'vitest'
import { check } from '../../faults/checker.ts'
import { Story } from './story.ts'

describe('[P5] the checker names ghosts', () => {
  /** Carol watches Bob, who goes at 1 s; his going is told at `toldAt`. */
  const bobGoes = (toldAt: number, death?: number) => {
    const story = new Story('carol/1', 'bob/1')
    story.watched = ['bob']
    story.told('carol/1', ['bob'], [])
    if (death !== undefined) story.add({ is: 'death', node: 'gw-1', at: death })
    story.add({ is: 'down', client: 'bob/1', node: 'gw-1', at: 1_000 })
    return story.told('carol/1', [], ['bob'], toldAt)
  }

  it('who was shown for longer than 5 s after the last connection, 20 s after the death of its node', () => {
    expect(check(bobGoes(4_000).history())).toEqual([])
    expect(check(bobGoes(9_000).history())).toEqual([
      expect.objectContaining({ kind: 'ghost', client: 'carol/1', user: 'bob' }),
    ])
    expect(check(bobGoes(19_000, 990).history())).toEqual([])
    expect(check(bobGoes(24_000, 990).history())).toEqual([
      expect.objectContaining({ kind: 'ghost', client: 'carol/1', user: 'bob' }),
    ])
  })

  it('of a node that died with an earlier line: its lease may hold them online', () => {
    const ofEarlier = (toldAt: number) => {
      const story = bobGoes(toldAt, 990)
      story.add({ is: 'up', client: 'bob/1', node: 'gw-2', at: 1_500 })
      story.add({ is: 'down', client: 'bob/1', node: 'gw-2', at: 9_000 })
      story.lines.sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
      return check(story.history()).map(({ kind }) => kind)
    }
    expect(ofEarlier(20_000)).toEqual([])
    expect(ofEarlier(23_000)).toEqual(['ghost'])
  })

  it('counting from the end of what was broken', () => {
    const story = bobGoes(9_000)
    story.troubles = [{ from: 500, until: 6_000 }]
    expect(check(story.history())).toEqual([])
  })

  it('that were never told off', () => {
    const story = bobGoes(4_000)
    story.lines.pop()
    expect(check(story.history(30_000)).map(({ kind }) => kind)).toEqual(['ghost', 'presence'])
  })

  /** Bob has another line soon, and is told off and on again at `at`. */
  const bobFlaps = (at: number) => {
    const story = new Story('carol/1', 'bob/1')
    story.watched = ['bob']
    story.online = new Set(['bob'])
    story.told('carol/1', ['bob'], []).add({ is: 'down', client: 'bob/1', node: 'gw-1', at: 1_000 })
    story.add({ is: 'up', client: 'bob/1', node: 'gw-2', at: 1_900 })
    expect(check(story.history())).toEqual([])
    return story.told('carol/1', [], ['bob'], at).told('carol/1', ['bob'], [], at + 100)
  }

  it('and who was said to be off while connected', () => {
    expect(check(bobFlaps(3_500).history())).toEqual([
      expect.objectContaining({ kind: 'flap', client: 'carol/1', user: 'bob' }),
    ])
  })

  it('but not what was decided in a trouble, and told right behind it', () => {
    const story = bobFlaps(3_500)
    story.troubles = [{ from: 1_000, until: 3_200 }]
    expect(check(story.history())).toEqual([])
    story.troubles = [{ from: 1_000, until: 2_900 }]
    expect(check(story.history()).map(({ kind }) => kind)).toEqual(['flap'])
  })

  it('at the end, where the cluster itself is wrong', () => {
    const story = bobGoes(4_000)
    story.online = new Set(['bob'])
    expect(check(story.history())).toEqual([expect.objectContaining({ kind: 'presence', user: 'bob' })])
  })
})
