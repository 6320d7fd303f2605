/** Outcomes as words: for the terminal, and as docs/reliability.md. */
import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import type { Loss, Scale } from './fault.ts'
import type { Violation, ViolationKind } from './history.ts'
import type { Result } from './stage/trial.ts'

export interface Outcome extends Omit<Result, 'history'> {
  number: number
  title: string
  scene: string
  mayLose: Loss | undefined
}

/** What a failover may cost, and is counted: with and without waiting for a replica. */
const LOSSES: Record<Loss, ReadonlySet<ViolationKind>> = {
  unacked: new Set(['taken-back']),
  acked: new Set(['taken-back', 'lost-in-log', 'phantom', 'rolled-back']),
}
const FORGIVEN: Record<Loss, string> = {
  unacked:
    'A message that was seen and not acked may be taken back by the failover, and come again under another id when its sender tries again; these are counted above, nothing else is forgiven.',
  acked: 'Acked messages may be lost here; they are counted above, nothing else is forgiven.',
}
const SHOWN = 8

const isForgiven = ({ mayLose }: Outcome, { kind }: Violation) =>
  mayLose !== undefined && LOSSES[mayLose].has(kind)

export function verdictOf(outcome: Outcome): 'kept' | 'broken' {
  const broken = outcome.violations.some((violation) => !isForgiven(outcome, violation))
  return broken || outcome.faults.length > 0 ? 'broken' : 'kept'
}

/** The verdict, and what it does not cover: nobody shall take a loss that was counted for none. */
function promisesOf(outcome: Outcome): string {
  const verdict = verdictOf(outcome)
  const isForgiving = outcome.mayLose === 'acked' && outcome.violations.length > 0
  return verdict === 'kept' && isForgiving ? 'kept, but for what was acked and is lost' : verdict
}

/** How often each kind was found, forgiven or not. */
function tally({ violations }: Outcome): string {
  const kinds = Map.groupBy(violations, ({ kind }) => kind)
  return [...kinds].map(([kind, list]) => `${list.length} ${kind}`).join(', ') || 'none'
}

export function asText(outcome: Outcome): string {
  const { number, title, scene, figures, violations, faults } = outcome
  const lines = [`\n${number}. ${title} (${scene}): ${verdictOf(outcome)}`]
  for (const { name, value, unit } of figures) lines.push(`   ${name}: ${value} ${unit}`.trimEnd())
  lines.push(`   violations: ${tally(outcome)}`)
  for (const list of Map.groupBy(violations, ({ kind }) => kind).values()) {
    for (const violation of list.slice(0, SHOWN)) lines.push(`   ! ${JSON.stringify(violation)}`)
  }
  for (const fault of faults.slice(0, SHOWN)) lines.push(`   ! ${fault}`)
  if (faults.length > SHOWN) lines.push(`   ! and ${faults.length - SHOWN} more`)
  return `${lines.join('\n')}\n`
}

export function asPage(outcomes: readonly Outcome[], scale: Scale, seconds: number): string {
  const redis = /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1]
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const lines = [
    '# Reliability',
    '',
    'What became of the seven promises ([protocol.md](protocol.md), section 7) while things broke. This page is written by',
    '`npm run test:faults -- --write`. Clients on the SDK and on raw frames record what they send and get; when all is quiet',
    'again a checker ([`test/faults/checker.ts`](../test/faults/checker.ts)) judges the whole history against the logs: what',
    'was acked is at every device of everybody it was for, once and in one order; nobody has what was refused or not theirs;',
    'presence told the truth. A *delivery* is one message at one device.',
    '',
    `- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit}${scale.quick ? ', the quick part' : ''}, ${seconds} s`,
    `- ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version.slice(1)}, Redis ${redis}`,
    '- three gateways and their Redis as processes of one machine, the clients in one more',
    '',
    '| fault | scene | acked | deliveries | promises | violations |',
    '|---|---|---:|---:|---|---|',
  ]
  const of = ({ figures }: Outcome, name: string) =>
    figures.find((figure) => figure.name === name)?.value ?? '–'
  for (const outcome of outcomes) {
    const { number, title, scene } = outcome
    const [acked, deliveries] = [of(outcome, 'messages acked'), of(outcome, 'deliveries judged')]
    lines.push(
      `| ${number}. ${title} | ${scene} | ${grouped(acked)} | ${grouped(deliveries)} | ${promisesOf(outcome)} | ${tally(outcome)} |`,
    )
  }
  for (const outcome of outcomes) {
    lines.push(
      '',
      `## ${outcome.number}. ${outcome.title}: ${outcome.scene}`,
      '',
      '| figure | value | unit |',
      '|---|---:|---|',
    )
    for (const { name, value, unit } of outcome.figures)
      lines.push(`| ${name} | ${grouped(value)} | ${unit} |`)
    if (outcome.mayLose) lines.push('', FORGIVEN[outcome.mayLose])
    if (outcome.faults.length > 0)
      lines.push('', ...outcome.faults.slice(0, SHOWN).map((fault) => `- broken: ${fault.split('\n')[0]}`))
  }
  return `${lines.join('\n')}\n`
}

const grouped = (value: number | string) => (typeof value === 'number' ? value.toLocaleString('en') : value)
