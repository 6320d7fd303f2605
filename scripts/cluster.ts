/**
 * `npm start`: a whole cluster on this machine. Gets a Redis, builds the web page, starts the gateways, says where they
 * are, and ends all of it: the gateways first, so that they can drain, then Redis.
 *
 *   npm start [-- --gateways N] [--verbose]
 *
 * What gateways read from the environment (docs/configuration.md) is passed on to all of them; PORT is the first's.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LocalGateway } from './lib/gateway.ts'
import { isFree } from './lib/ports.ts'
import { type FoundRedis, getRedis } from './lib/redis.ts'
import { keptSecrets } from './lib/secrets.ts'
import { giveUp, UserError } from './lib/user-error.ts'
import { buildWeb } from './lib/web.ts'

const root = join(import.meta.dirname, '..')
const data = join(root, '.data')
const lock = join(data, 'pid')

/** One Ctrl-C may come several times: from the terminal, from npm. Later than this it is a second one, ms. */
const SAME_SIGNAL_MS = 300

/** How much longer than its drain a gateway may take to end, ms. */
const DRAIN_MARGIN_MS = 3_000

/** Enough for anybody's machine; more is a slip of the finger. */
const MOST_GATEWAYS = 64

const gateways: LocalGateway[] = []
let redis: FoundRedis | undefined
let leavingSince: number | undefined

function readOptions(): { count: number; verbose: boolean } {
  const usage = (why: string) => new UserError(`${why}\nUse: npm start [-- --gateways N] [--verbose]`)
  try {
    const options = {
      gateways: { type: 'string', default: '2' },
      verbose: { type: 'boolean', default: false },
    } as const
    const { values } = parseArgs({ options })
    const count = Number(values.gateways)
    if (!Number.isInteger(count) || count < 1 || count > MOST_GATEWAYS) {
      throw usage(`--gateways wants a number from 1 to ${MOST_GATEWAYS}, not "${values.gateways}".`)
    }
    return { count, verbose: values.verbose }
  } catch (fault) {
    throw fault instanceof UserError ? fault : usage((fault as Error).message)
  }
}

/** Two of us on one folder would give one Redis' files to two servers. */
function takeLock(): void {
  mkdirSync(data, { recursive: true })
  const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0
  if (holder > 0 && isAlive(holder)) {
    throw new UserError(
      `Starling already runs from this folder (process ${holder}): stop it first. If it doesn't, remove ${lock}.`,
    )
  }
  writeFileSync(lock, String(process.pid))
  process.on('exit', () => rmSync(lock, { force: true }))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function needPorts(host: string, ports: number[]): Promise<void> {
  for (const port of ports) {
    if (await isFree(port, host)) continue
    throw new UserError(
      `Port ${port} is in use. Stop what listens there (lsof -i :${port} names it), or start at another port: PORT=9080 npm start`,
    )
  }
}

async function start(): Promise<void> {
  const { count, verbose } = readOptions()
  const { env } = process
  const host = env['HOST'] ?? '127.0.0.1'
  const firstPort = Number(env['PORT'] ?? 8080)
  const ports = Array.from({ length: count }, (_, index) => firstPort + index)
  await needPorts(host, ports)
  takeLock()
  buildWeb(root)

  const found = await getRedis(join(data, 'redis'))
  redis = found
  if (found.kind === 'own') {
    void found.child.ended.then(({ code, signal }) => {
      const lastWords = found.child.lastWords.slice(-3).join('\n')
      if (leavingSince === undefined)
        leave(1, `Redis has ended (${signal ?? `exit code ${code}`}), its last words:\n${lastWords}`)
    })
  }

  const drainSeconds = env['DRAIN_SECONDS'] ?? '1'
  const drainMs = Number(drainSeconds) * 1000 + DRAIN_MARGIN_MS
  const shared = {
    ...env,
    ...keptSecrets(join(data, 'secrets.json')),
    HOST: host,
    DRAIN_SECONDS: drainSeconds,
  }
  for (const [index, port] of ports.entries()) {
    const name = `gw-${index + 1}`
    const own = { REDIS_URL: found.url, PORT: String(port), NODE_NAME: name }
    const command: [string, string] = [process.execPath, join(root, 'src/main.ts')]
    const url = `http://127.0.0.1:${port}`
    gateways.push(new LocalGateway({ name, url, command, env: { ...shared, ...own }, drainMs, verbose }))
  }
  await Promise.all(gateways.map((gateway) => gateway.start()))
  const others = gateways.slice(1).map(({ url }) => `\n  ${url}`)
  console.log(`\nStarling runs. Point one browser at each of these, and write from one to the other:
  ${gateways[0]?.url}${others.join('')}

Redis: ${found.url}   Data: ${join(root, '.data')}   Ctrl-C stops all of it.`)
}

/** Ends everything in order, then this process. Said again, later: at once and hard. */
function leave(code: number, why?: string): void {
  if (leavingSince !== undefined) {
    if (Date.now() - leavingSince > SAME_SIGNAL_MS) leaveHard()
    return
  }
  leavingSince = Date.now()
  if (why) console.error(`\n${why}`)
  console.log('\nStopping: the gateways drain, then Redis …')
  Promise.all(gateways.map((gateway) => gateway.stop()))
    .then(() => (redis?.kind === 'own' ? redis.stop() : undefined))
    .then(() => process.exit(code))
    .catch(giveUp)
}

/** Redis is left to the leash, which stops it as soon as we are gone. */
function leaveHard(): never {
  for (const gateway of gateways) gateway.kill()
  process.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => leave(0))
// The process that started us is gone without a word.
process.on('disconnect', () => leave(0))
start().catch((fault: unknown) => {
  if (leavingSince !== undefined) return
  if (gateways.length === 0 && !redis) giveUp(fault)
  leave(1, fault instanceof UserError ? fault.message : String(fault instanceof Error ? fault.stack : fault))
})
