import { expect, it } from 'vitest'
import { interleave } from '../../../bench/lib/interleave.ts'
import type { Sample } from '../../../bench/lib/outcome.ts'

const sample = (value: number, disturbances: string[] = []): Sample => ({
  figures: { cost: value },
  notes: [],
  disturbances,
  faults: [],
})

/** Runs subjects whose samples are given, and notes in which order they were asked. */
async function run(given: Record<string, Sample[]>, course: { repeats: number; extra: number }) {
  const asked: string[] = []
  const subjects = Object.entries(given).map(([name, samples]) => ({
    name,
    run: () => {
      asked.push(name)
      const next = samples.shift()
      return next ? Promise.resolve(next) : Promise.reject(new Error('asked too often'))
    },
  }))
  return { series: await interleave(subjects, { ...course, say: () => {} }), asked }
}

it('measures all in turn, and every other round backwards', async () => {
  const samples = () => [sample(1), sample(1), sample(1)]
  const { asked } = await run({ a: samples(), b: samples() }, { repeats: 3, extra: 0 })
  expect(asked.join('')).toBe('abbaab')
})

it('measures again what was disturbed, and leaves it out', async () => {
  const { series, asked } = await run(
    { a: [sample(1), sample(2)], b: [sample(9, ['a stranger']), sample(3), sample(4)] },
    { repeats: 2, extra: 1 },
  )
  expect(asked.join('')).toBe('abbab')
  expect(series[1]).toMatchObject({ leftOut: 1, isDisturbed: false })
  expect(series[1]?.samples.map(({ figures }) => figures['cost'])).toEqual([3, 4])
})

it('gives up after the extra rounds, and says that all were disturbed', async () => {
  const stranger = () => sample(9, ['a stranger'])
  const { series } = await run({ a: [stranger(), stranger(), stranger()] }, { repeats: 2, extra: 1 })
  expect(series[0]).toMatchObject({ leftOut: 0, isDisturbed: true })
  expect(series[0]?.samples).toHaveLength(3)
})

it('does not ask again what could not be measured at all, and keeps its fault', async () => {
  const { series, asked } = await run({ a: [], b: [sample(1), sample(1)] }, { repeats: 2, extra: 2 })
  expect(asked.join('')).toBe('abb')
  expect(series[0]?.samples[0]?.faults).toEqual(['asked too often'])
})
