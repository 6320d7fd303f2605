import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import { Tally } from '../../../src/lib/tally.ts'

let registry: Registry
const lines = async () =>
  (await registry.metrics()).split('\n').filter((line) => line && !line.startsWith('#'))

beforeEach(() => {
  registry = new Registry()
})

it('shows a count for every key, the same when asked twice', async () => {
  const tally = new Tally({
    name: 'starling_x_total',
    help: 'X.',
    labels: ['kind', 'result'],
    registers: [registry],
  })
  for (const key of ['user ok', 'user ok', 'group dup']) tally.add(key)
  const expected = [
    'starling_x_total{kind="user",result="ok"} 2',
    'starling_x_total{kind="group",result="dup"} 1',
  ]
  expect(await lines()).toEqual(expected)
  expect(await lines()).toEqual(expected)
})

it('shows a zero before the first step, so that the first step can be seen', async () => {
  const tally = new Tally({
    name: 'starling_x_total',
    help: 'X.',
    labels: ['code'],
    zeros: ['internal'],
    registers: [registry],
  })
  expect(await lines()).toEqual(['starling_x_total{code="internal"} 0'])
  tally.add('internal')
  tally.add('muted')
  expect(await lines()).toEqual(['starling_x_total{code="internal"} 1', 'starling_x_total{code="muted"} 1'])
})
