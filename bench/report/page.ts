/**
 * Findings as people read them: on a terminal, and as the page `docs/benchmarks.md`.
 */
import type { Series } from '../lib/interleave.ts'
import { isPeerName, peer } from '../peers/peers.ts'
import type { Section } from '../sections/section.ts'
import { INTRODUCTION, READING } from './prose.ts'
import { surroundings } from './surroundings.ts'
import { asNumber, partTable, shortened, tableOf } from './table.ts'
import { judge, TARGETS, type Target } from './targets.ts'

export interface Finding {
  section: Section
  series: Series[]
}

const WORDS = { goal: 'goal', floor: 'floor', missed: '**missed**', 'not measured': 'not measured' } as const

/** A peer may lose or disorder messages: that is a figure. When we do, the run has failed. */
export const isFailed = (findings: readonly Finding[]): boolean => ourFaults(findings).length > 0

/** @returns the run as text for a terminal */
export const asText = (findings: readonly Finding[]): string =>
  `${['', ...surroundings(), '', ...targetTable(findings), ...findings.flatMap(sectionLines), ...faultLines(findings)].join('\n')}\n`

/** @returns the page `docs/benchmarks.md` */
export const asPage = (findings: readonly Finding[]): string =>
  `${[
    '# Benchmarks',
    '',
    INTRODUCTION,
    '',
    ...surroundings().map((line) => `- ${line}`),
    '',
    '## What was to be reached',
    '',
    ...targetTable(findings),
    ...findings.flatMap(sectionLines),
    ...faultLines(findings),
    '',
    READING,
  ].join('\n')}\n`

function targetTable(findings: readonly Finding[]): string[] {
  const series = findings.flatMap((finding) => finding.series)
  const rows = TARGETS.map((target) => judge(target, series))
    .filter(({ verdict }) => verdict !== 'not measured')
    .map(({ target, ours, theirs, value, verdict }) => [
      target.work,
      againstOf(target),
      asNumber(ours),
      theirs === undefined ? '' : asNumber(theirs),
      `${asNumber(value)}${theirs === undefined ? '' : ' ×'}`,
      limit(target, target.floor),
      limit(target, target.goal),
      WORDS[verdict],
    ])
  const wrongs = ourFaults(findings).length
  const zero = [
    'lost, doubled, out of order',
    '',
    String(wrongs),
    '',
    '',
    '0',
    '0',
    wrongs === 0 ? 'goal' : WORDS.missed,
  ]
  return tableOf(['work', 'against', 'ours', 'theirs', 'ratio', 'floor', 'goal', 'reached'], [...rows, zero])
}

const againstOf = ({ against = '' }: Target): string => (isPeerName(against) ? peer(against).title : against)

const limit = ({ isMore, against }: Target, value: number): string =>
  `${isMore ? '≥' : '≤'} ${value}${against === undefined ? '' : ' ×'}`

function sectionLines({ section, series }: Finding): string[] {
  const notes = series.flatMap(({ name, samples, leftOut, isDisturbed }) => {
    const own = samples.at(-1)?.notes ?? []
    return [
      ...own.map((note) => `- ${name}: ${note}`),
      ...(leftOut > 0
        ? [`- ${name}: ${leftOut} ${leftOut === 1 ? 'repeat' : 'repeats'} left out, disturbed by other work`]
        : []),
      ...(isDisturbed
        ? [`- ${name}: DISTURBED, every repeat; the figures are upper bounds of the cost`]
        : []),
    ]
  })
  return [
    '',
    `## ${section.title}`,
    '',
    section.setting,
    ...section.parts.flatMap(({ part, title }) => ['', `**${title}**`, '', ...partTable(part, series)]),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ]
}

const ourFaults = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ section, series }) =>
    series
      .filter(({ name }) => name === 'starling' || !isPeerName(name))
      .flatMap(({ samples }) =>
        samples.flatMap(({ faults }) => faults.map((fault) => `${section.name}: ${fault}`)),
      ),
  )

function faultLines(findings: readonly Finding[]): string[] {
  const faults = findings.flatMap(({ section, series }) =>
    series.flatMap(({ name, samples }) =>
      samples.flatMap((sample) =>
        sample.faults.map((fault) => `- ${section.name}, ${name}: ${shortened(fault)}`),
      ),
    ),
  )
  return faults.length > 0 ? ['', '## What went wrong', '', ...new Set(faults)] : []
}
