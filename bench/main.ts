/**
 * `npm run bench`: which sections run, how often, and what becomes of what they found.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { interleave } from './lib/interleave.ts'
import { ROOT } from './lib/server-process.ts'
import { isPeerName, PEER_NAMES } from './peers/peers.ts'
import { asPage, asText, type Finding, isFailed } from './report/page.ts'
import { sections } from './sections/sections.ts'

const USAGE = `npm run bench -- [options]
  --only <names>    sections, comma-separated; their beginnings will do (dm, group, connections, storm, …)
  --peers <names>   only these systems: ${PEER_NAMES.join(', ')}
  --repeats <n>     undisturbed repeats of each; 5 where not given, which takes more than an hour
  --extra <n>       rounds that may be added for what other work has disturbed; 3 where not given
  --seconds <n>     of each measurement; 6 where not given
  --json <file>     writes all samples there
  --no-write        leaves docs/benchmarks.md alone; so does a run of a part
`
const PAGE = join(ROOT, 'docs/benchmarks.md')
const WARMUP_MS = 3_000

const values = readArguments()
const all = sections({ warmupMs: WARMUP_MS, measureMs: Number(values.seconds) * 1e3 })
const only = values.only?.split(',')
const chosen = all.filter(({ name }) => !only || only.some((part) => name.startsWith(part)))
const peers = values.peers?.split(',')
const repeats = Number(values.repeats)
if (values.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
for (const part of only ?? [])
  if (!all.some(({ name }) => name.startsWith(part))) refuse(`no section is called ${part}`)
for (const name of peers ?? []) if (!isPeerName(name)) refuse(`no system is called ${name}`)
if (!(repeats > 0)) refuse('--repeats takes a number above 0')

const findings: Finding[] = []
for (const section of chosen) {
  process.stderr.write(`${section.name} …\n`)
  const subjects = section.subjects.filter(({ name }) => !peers || !isPeerName(name) || peers.includes(name))
  const series = await interleave(subjects, {
    repeats,
    extra: Number(values.extra),
    say: (words) => process.stderr.write(`  ${words}\n`),
  })
  findings.push({ section, series })
}
process.stdout.write(asText(findings))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(findings, null, 2)}\n`)
if (!values['no-write'] && !only && !peers) writeFileSync(PAGE, asPage(findings))
process.exit(isFailed(findings) ? 1 : 0)

function readArguments() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string' },
        peers: { type: 'string' },
        repeats: { type: 'string', default: '5' },
        extra: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '6' },
        json: { type: 'string' },
        'no-write': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (fault) {
    return refuse((fault as Error).message)
  }
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n${USAGE}`)
  process.exit(2)
}
