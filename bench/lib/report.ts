/**
 * Outcomes as people and programs read them: a table, JSON, and the page `docs/benchmarks.md`.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Outcome } from './outcome.ts'
import { redisVersion } from './redis.ts'

const GIB = 1024 ** 3

/** Where and with what a run was made. */
export interface Surroundings {
  date: string
  commit: string
  cpu: string
  cores: number
  memoryGib: number
  kernel: string
  node: string
  redis: string
  uws: string
}

export function surroundings(): Surroundings {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commit(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / GIB),
    kernel: release(),
    node: process.versions.node,
    redis: redisVersion(),
    uws: versionOf('uWebSockets.js'),
  }
}

/** @returns the commit that is measured, with a plus where the gateway's code is not as it says */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', 'src', 'protocol') === '' ? '' : '+')
    )
  } catch {
    return 'unknown'
  }
}

function versionOf(name: string): string {
  const file = fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

const number = (value: number) =>
  value >= 100
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

const heading = (at: Surroundings) => [
  `${at.date} UTC, commit ${at.commit}`,
  `${at.cpu}, ${at.cores} cores, ${at.memoryGib} GiB, Linux ${at.kernel}`,
  `Node ${at.node}, uWebSockets.js ${at.uws}, Redis ${at.redis} (AOF, fsync every second)`,
]

/** @returns the run as text for a terminal */
export function asText(outcomes: readonly Outcome[], at: Surroundings): string {
  const width = Math.max(...outcomes.flatMap(({ figures }) => figures.map(({ name }) => name.length)), 0)
  const lines = outcomes.flatMap(({ scenario, setting, figures, notes, faults }) => [
    '',
    `${scenario}: ${setting}`,
    ...figures.map(
      ({ name, value, unit }) => `  ${name.padEnd(width)}  ${number(value).padStart(10)} ${unit}`,
    ),
    ...notes.map((note) => `  ${note}`),
    ...faults.map((fault) => `  FAILED: ${fault}`),
  ])
  return [...heading(at), ...lines, ''].join('\n')
}

/** @returns the page `docs/benchmarks.md` */
export function asPage(outcomes: readonly Outcome[], at: Surroundings): string {
  const tables = outcomes.flatMap(({ scenario, setting, figures, notes }) => [
    '',
    `## ${scenario}`,
    '',
    `${setting}.`,
    '',
    '| figure | value | unit |',
    '|---|---:|---|',
    ...figures.map(({ name, value, unit }) => `| ${name.trim()} | ${number(value)} | ${unit} |`),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : []),
  ])
  return `${['# Benchmarks', '', INTRODUCTION, '', ...heading(at).map((line) => `- ${line}`), ...tables, '', READING].join('\n')}\n`
}

const INTRODUCTION =
  'Measured figures only; this page is written by `npm run bench -- --write`. One machine runs everything: ' +
  'two gateways, their Redis, and the load generators in processes of their own.'

const READING = `## How to read it

- Sender and receiver, and the halves of a group, are on different gateways. A message counts when it is acked, and it
  is acked when it is stored; every message of a run is followed to its receivers. A lost, doubled or disordered one
  fails the run, and such a run is not written here.
- **CPU** is what the kernel's scheduler gave to all threads of the processes named, over what was done meanwhile. It
  hardly depends on how the cores were shared with the generators; messages a second do.
- **Bottleneck**: a process whose main thread ran, or was ready to run and waited for a core, nearly all of the time. Where
  a generator is named, the figure is a lower bound for the gateways.
- **Latencies** are from an open loop: each message is due at a fixed time whatever has become of those before it, and
  its latency counts from then, the generator's own lateness included.
- **Memory** is the growth of both gateways' resident memory over the connections that caused it; the kernel's socket
  buffers are not in it.
- \`DISTURBED\` stands where other work took more than a twentieth of the machine meanwhile.`
