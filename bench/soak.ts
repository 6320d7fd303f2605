/**
 * `npm run bench:soak`: an hour at half of saturation, and whether anything grows or is left behind.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from './lib/server-process.ts'
import { rises, soakPage } from './report/soak-page.ts'
import { soak } from './scenarios/soak.ts'

const USAGE = `npm run bench:soak -- [options]
  --minutes <n>   60 where not given
  --no-write      leaves docs/soak.md alone
`
const PAGE = join(ROOT, 'docs/soak.md')
const SETTING = {
  senders: 64,
  restless: 1_000,
  groups: 20,
  comingsAndGoings: 50,
  joinsAndLeaves: 10,
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'no-write': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
if (values.help || !(minutes > 0)) {
  process.stderr.write(USAGE)
  process.exit(values.help ? 0 : 2)
}
const result = await soak({ ...SETTING, minutes }, (words) => process.stderr.write(`${words}\n`))
const faults = [...result.faults, ...rises(result)]
const page = soakPage(result, faults)
process.stdout.write(page)
if (!values['no-write']) writeFileSync(PAGE, page)
process.exit(faults.length > 0 ? 1 : 0)
