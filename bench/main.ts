/**
 * `npm run bench`: which scenarios run, how long, and what becomes of their outcomes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Outcome } from './lib/outcome.ts'
import { asPage, asText, surroundings } from './lib/report.ts'
import { dmLatency } from './scenarios/dm-latency.ts'
import { dmSaturation } from './scenarios/dm-saturation.ts'
import { groupFanout } from './scenarios/group-fanout.ts'
import { idleMemory } from './scenarios/idle-memory.ts'

const USAGE = `npm run bench -- [options]
  --only <names>   of dm, memory, group, comma-separated; all where not given
  --quick          shorter, with fewer idle connections: at most a minute
  --rate <n>       messages/s of the latency run; half of this run's saturation where not given
  --json <file>    writes the outcomes there too
  --write          writes docs/benchmarks.md
`
const NAMES = ['dm', 'memory', 'group']
const PAGE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))
const GENERATORS = 2
const PAIRS = 64

const { values } = readArguments()
const only = values.only?.split(',') ?? NAMES
const unknown = only.find((name) => !NAMES.includes(name))
const rate = values.rate === undefined ? undefined : Number(values.rate)
if (values.help || unknown !== undefined || (rate !== undefined && !(rate > 0))) {
  process.stderr.write(USAGE)
  process.exit(values.help ? 0 : 2)
}
const length = values.quick
  ? { warmupMs: 2_000, measureMs: 6_000, settleMs: 5_000, connections: 2_000 }
  : { warmupMs: 5_000, measureMs: 20_000, settleMs: 15_000, connections: 10_000 }

const outcomes: Outcome[] = []
const load = { generators: GENERATORS, warmupMs: length.warmupMs, measureMs: length.measureMs }
if (only.includes('dm')) {
  const saturation = await attempt('dm-saturation', () =>
    dmSaturation({ ...load, pairs: PAIRS, inFlight: 256 }),
  )
  const ratePerSecond = rate ?? Math.floor((saturation.figures[0]?.value ?? 0) / 2)
  if (ratePerSecond > 0) {
    await attempt('dm-latency', () => dmLatency({ ...load, pairs: PAIRS, ratePerSecond }))
  }
}
if (only.includes('memory')) {
  await attempt('idle-memory', () => idleMemory({ generators: GENERATORS, ...length }))
}
if (only.includes('group')) {
  await attempt('group-fanout', () => groupFanout({ ...load, members: 1_000, writers: 4, inFlight: 4 }))
}

const at = surroundings()
const failed = outcomes.some(({ faults }) => faults.length > 0)
process.stdout.write(asText(outcomes, at))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ at, outcomes }, null, 2)}\n`)
if (values.write && !failed) {
  mkdirSync(dirname(PAGE), { recursive: true })
  writeFileSync(PAGE, asPage(outcomes, at))
}
process.exit(failed ? 1 : 0)

/** Runs a scenario and keeps its outcome; one that breaks off is an outcome too. */
async function attempt(scenario: string, run: () => Promise<Outcome>): Promise<Outcome> {
  say(scenario)
  const outcome = await run().catch((fault: unknown): Outcome => {
    const words = fault instanceof Error ? fault.message : String(fault)
    return { scenario, setting: 'broke off', figures: [], notes: [], faults: [words] }
  })
  outcomes.push(outcome)
  return outcome
}

/** Progress, apart from the result. */
function say(words: string): void {
  process.stderr.write(`${words} …\n`)
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        rate: { type: 'string' },
        json: { type: 'string' },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (fault) {
    process.stderr.write(`${(fault as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}
