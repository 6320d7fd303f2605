/**
 * `npm run test:faults`: which faults run, how much of each, and what becomes of the outcomes.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Fault, Scale } from './fault.ts'
import type { History } from './history.ts'
import { asPage, asText, type Outcome, verdictOf } from './report.ts'

const USAGE = `npm run test:faults -- [options]
  --only <numbers>  e.g. 1,6; all where not given
  --quick           a part of each, for CI
  --write           writes docs/reliability.md
  --histories <dir> keeps each history there, a record a line
`
const PAGE = new URL('../../docs/reliability.md', import.meta.url)
const FAULTS = new URL('./faults/', import.meta.url)

const { values } = readArguments()
const only = values.only?.split(',').map(Number)
const scale: Scale = values.quick ? { quick: true, messages: 1_500 } : { quick: false, messages: 10_000 }
/** What it is meant to take on 2 cores, s; said, not judged. */
const meant = values.quick ? 300 : 900
const startedAt = performance.now()
const outcomes: Outcome[] = []
for (const file of readdirSync(FAULTS).sort()) {
  const { fault } = (await import(new URL(file, FAULTS).href)) as { fault: Fault }
  if (only && !only.includes(fault.number)) continue
  for (const scene of fault.scenes) {
    const outcome = await attempt(fault, scene)
    outcomes.push(outcome)
    process.stdout.write(asText(outcome))
    if (values.write) writeFileSync(PAGE, asPage(outcomes, scale, secondsSinceStart()))
  }
}
const failed = outcomes.filter((outcome) => verdictOf(outcome) === 'broken')
process.stdout.write(
  `${outcomes.length - failed.length} kept, ${failed.length} broken; ${secondsSinceStart()} s${only ? '' : ` of ${meant} that all may take`}\n`,
)
process.exit(failed.length > 0 ? 1 : 0)

function secondsSinceStart(): number {
  return Math.round((performance.now() - startedAt) / 1e3)
}

/** Runs a scene and keeps its outcome; one that breaks off is an outcome too. */
async function attempt(fault: Fault, scene: Fault['scenes'][number]): Promise<Outcome> {
  process.stderr.write(`${fault.number} ${scene.name} …\n`)
  const { number, title } = fault
  const about = { number, title, scene: scene.name, mayLose: scene.mayLose }
  try {
    const result = await scene.run(scale)
    if (values.histories !== undefined)
      keep(result.history, `${number}-${scene.name.replaceAll(/\W+/g, '-')}`)
    const { history: _, ...rest } = result
    return { ...about, ...rest }
  } catch (fault) {
    const words = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)
    return { ...about, figures: [], violations: [], faults: [`broke off: ${words}`] }
  }
}

/** For people who want to see how a violation came about. */
function keep({ records, logs }: History, name: string): void {
  mkdirSync(values.histories!, { recursive: true })
  const lines = [...records, ...[...logs].map(([conv, log]) => ({ is: 'log', conv, log }))]
  writeFileSync(
    join(values.histories!, `${name}.jsonl`),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  )
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        histories: { type: 'string' },
      },
    })
  } catch (fault) {
    process.stderr.write(`${(fault as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}
