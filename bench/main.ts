/**
 * `npm run bench`: which scenarios run, how long, and what becomes of what they found.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { interleave, type Series } from './lib/interleave.ts'
import { type PeerName, peer } from './peers/peers.ts'
import { surroundings } from './report/surroundings.ts'
import { partTable } from './report/table.ts'
import { dm } from './scenarios/dm.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'string' },
  },
})
const names = (values.peers?.split(',') ?? [
  'starling',
  'sio-durable',
  'sio-bare',
  'sio-uws-durable',
  'sio-uws-bare',
  'ws-durable',
  'ws-bare',
  'uws',
]) as PeerName[]
const say = (words: string) => process.stderr.write(`${words}\n`)
const lengths = { warmupMs: 3_000, measureMs: Number(values.seconds) * 1e3 }
const rates = [1_000, 4_000]
const series: Series[] = await interleave(
  names.map((name) => ({
    name,
    run: () =>
      dm(peer(name), {
        generators: 2,
        pairs: 64,
        inFlight: 256,
        rates: name.includes('durable') || name === 'starling' ? rates : [],
        ...lengths,
      }),
  })),
  { repeats: Number(values.repeats), extra: 2, say },
)
process.stdout.write(`${surroundings().join('\n')}\n`)
for (const part of ['dm', ...rates.map((rate) => `dm@${rate}`)])
  process.stdout.write(`\n${part}\n${partTable(part, series).join('\n')}\n`)
for (const one of series) {
  const notes = new Set(one.samples.flatMap(({ notes }) => notes))
  process.stdout.write(`${one.name}: ${[...notes].join('\n  ')}\n`)
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(series, null, 2))
process.exit(series.some(({ samples }) => samples.some(({ faults }) => faults.length > 0)) ? 1 : 0)
