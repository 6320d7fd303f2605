/**
 * `npm run bench:quick`: whether the working tree costs more than the tree it came from, measured in turn on this
 * machine in at most three minutes. Fails on a clear loss.
 */
import { parseArgs } from 'node:util'
import { baseCommit, checkOut } from './lib/base-tree.ts'
import { compareCosts } from './lib/compare.ts'
import { interleave } from './lib/interleave.ts'
import { joined } from './lib/outcome.ts'
import { peer } from './peers/peers.ts'
import { figureName } from './report/figures.ts'
import { asNumber, tableOf } from './report/table.ts'
import { connections } from './scenarios/connections.ts'
import { dm } from './scenarios/dm.ts'
import { group } from './scenarios/group.ts'
import { GENERATORS, IN_FLIGHT, PAIRS } from './sections/section.ts'

const REPEATS = 4
/** Half of them at least, and no new round after this, ms: the last one has to end within the three minutes, too. */
const START_WITHIN_MS = 120_000
const LENGTHS = { warmupMs: 1_500, measureMs: 2_500 }
const GROUP = { members: 100, groups: 10, writers: 2, inFlight: 3 }
const CONNECTIONS = 2_000
const COSTS = [
  { key: 'dm.cpu', work: 'a one-to-one message' },
  { key: 'group-100.cpu', work: 'a delivery in groups of 100' },
  { key: 'connect.cpu', work: 'a connect' },
  { key: 'idle.bytes', work: 'a quiet connection' },
]

const { values } = parseArgs({ options: { base: { type: 'string' } } })
const base = checkOut(values.base ?? baseCommit())
process.on('exit', base.remove)

const starling = peer('starling')
const costsOf = async (root?: string) => {
  const shape = root === undefined ? {} : { root }
  return joined([
    await dm(
      starling,
      { ...LENGTHS, generators: GENERATORS, crowd: { senders: PAIRS }, inFlight: IN_FLIGHT, rates: [] },
      shape,
    ),
    await group(starling, { ...LENGTHS, generators: GENERATORS, ...GROUP }, shape),
    await connections(starling, { generators: GENERATORS, connections: CONNECTIONS, settleMs: 1_000 }, shape),
  ])
}
const [before, now] = await interleave(
  [
    { name: 'before', run: () => costsOf(base.root) },
    { name: 'now', run: () => costsOf() },
  ],
  {
    repeats: REPEATS,
    extra: 0,
    startWithinMs: START_WITHIN_MS,
    say: (words) => process.stderr.write(`${words}\n`),
  },
)
const comparisons = COSTS.map(({ key, work }) => {
  const costs = (samples: typeof now.samples) => samples.flatMap(({ figures }) => figures[key] ?? [])
  return { key, work, ...compareCosts(costs(before.samples), costs(now.samples)) }
})
const rows = comparisons.map(({ key, work, before, now, ratio, isLoss }) => [
  `${work}, ${figureName(key).unit}`,
  asNumber(before),
  asNumber(now),
  `${asNumber(ratio)} ×`,
  isLoss ? 'LOSS' : '',
])
process.stdout.write(`${tableOf(['cost', base.commit, 'now', 'ratio', ''], rows).join('\n')}\n`)
// Whatever the tree of before did wrong is no fault of this one, unless it could not be measured.
const faults = [...now.samples, ...before.samples.filter(({ figures }) => !('dm.cpu' in figures))].flatMap(
  (sample) => sample.faults,
)
for (const fault of faults) process.stdout.write(`FAILED: ${fault}\n`)
process.exit(faults.length > 0 || comparisons.some(({ isLoss }) => isLoss) ? 1 : 0)
