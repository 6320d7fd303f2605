/**
 * The durable peers' store, as a careful user of Redis writes it: one script, one round trip, for dedupe, log and
 * inbox. The strongest client there is for it: node-redis, which writes what one tick brings at once.
 */
import { createClient, defineScript } from '@redis/client'

/** Entries kept, as Starling keeps them by default. */
const [LOG_MAXLEN, INBOX_MAXLEN] = [10_000, 5_000]
/** How long a ref is remembered, s. */
const REF_TTL_S = 600
const PAGE = 100

const storeScript = defineScript({
  NUMBER_OF_KEYS: 3,
  SCRIPT: `
    local known = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'GET', 'EX', ${REF_TTL_S})
    if known then return known end
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ${LOG_MAXLEN}, '*', 'm', ARGV[2])
    if KEYS[3] ~= '' then redis.call('XADD', KEYS[3], 'MAXLEN', '~', ${INBOX_MAXLEN}, '*', 'm', ARGV[2]) end
    return false`,
  parseCommand(parser, keys: readonly [string, string, string], id: string, message: string) {
    for (const key of keys) parser.pushKey(key)
    parser.push(id, message)
  },
  transformReply: (reply: unknown) => reply as string | null,
})

export interface Message {
  to: string
  from: string
  id: string
  ref: string
  body: unknown
}

export async function connectRedis(url: string) {
  const client = createClient({ url, scripts: { store: storeScript } })
  // The bench ends the servers; until then an error is one.
  client.on('error', (fault: Error) => process.stderr.write(`${fault.message}\n`))
  await client.connect()
  return client
}

export type RedisClient = Awaited<ReturnType<typeof connectRedis>>

let lastNumber = 0
const origin = process.pid.toString(36)

export const nextId = (): string => `${Date.now().toString(36)}-${origin}-${++lastNumber}`

/** Puts a message into its conversation's log and, of a dm, into the inbox. @returns the id it is known by */
export async function store(redis: RedisClient, message: Message): Promise<{ id: string; isNew: boolean }> {
  const { to, from, ref, id } = message
  const isDm = to.startsWith('user:')
  const log = isDm ? `log:${[from, to.slice('user:'.length)].sort().join(':')}` : `log:${to}`
  const known = await redis.store(
    [`ref:${from}:${ref}`, log, isDm ? `inbox:${to}` : ''],
    id,
    JSON.stringify(message),
  )
  return known === null ? { id, isNew: true } : { id: known, isNew: false }
}

/** What has come into an inbox since a position, in pages. */
export async function* missed(redis: RedisClient, inbox: string, since: string): AsyncGenerator<string[]> {
  for (let from = since; ; ) {
    const page = await redis.xRange(inbox, `(${from}`, '+', { COUNT: PAGE })
    const last = page?.at(-1)
    if (!page || !last) return
    yield page.map((entry) => entry.message['m']!)
    if (page.length < PAGE) return
    from = last.id
  }
}
