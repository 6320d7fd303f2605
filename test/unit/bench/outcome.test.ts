import { describe, expect, it } from 'vitest'
import { newestOfEachKind } from '../../../bench/lib/outcome.ts'

describe('the faults of a long run', () => {
  it('have one line for each kind, with the newest numbers', () => {
    const faults = ['3 lost', '5 refused as too many', '3 lost', '70 refused as too many', 'gw-1: gone']
    expect(newestOfEachKind(faults)).toEqual(['3 lost', '70 refused as too many', 'gw-1: gone'])
  })

  it('are none where nothing went wrong', () => {
    expect(newestOfEachKind([])).toEqual([])
  })
})
