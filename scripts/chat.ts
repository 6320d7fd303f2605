/**
 * A terminal client: `npm run chat -- --as alice [--url http://127.0.0.1:8080] [--to bob]`.
 * Lines are messages, lines with a slash are commands. In a pipe it sends what comes and ends with it.
 */
import { createInterface, type Interface } from 'node:readline'
import { parseArgs } from 'node:util'
import {
  type Api,
  type Client,
  createApi,
  createClient,
  type Message,
  StarlingError,
} from '../client/src/index.ts'
import { convOf, isId, isTarget, type Target } from '../protocol/src/ids.ts'
import { type Account, positionsOf, recall, signIn } from './chat-account.ts'
import { ReadMarks } from './chat-read.ts'
import { createView, lineOf, type View } from './chat-view.ts'

const USAGE = `npm run chat -- --as <user> [options]

  --as <user>        who you are; the account is made where there is none
  --to <target>      whom to write to: bob, group:<id>, channel:<id>
  --url <url>        a gateway, default http://127.0.0.1:8080; several may be given
  --password <text>  default: one that is made up and kept in .data/
  --token <jwt>      sign in with a token from elsewhere instead`

const COMMANDS = `/to <user>               write to a user
/group <id>              write to a group
/channel <id>            write to a channel
/who                     who is online
/groups                  your groups
/create <name> [users]   make a group and write to it
/history [n]             the last messages here, 20 or n
/help · /quit`

/** Wrong use, to be told without a stack. */
class UsageError extends Error {}

interface Chat {
  client: Client
  api: Api
  view: View
  me: string
  to: string | undefined
  /** Refs of what was written here: nobody needs to be shown their own line again. */
  own: Set<string>
  marks: ReadMarks
  failed: boolean
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${USAGE}\n`)
  else process.stderr.write(`${describe(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

async function main(): Promise<number> {
  const options = readOptions()
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  const { me, urls, token } = options
  const account: Account =
    token !== undefined
      ? { getToken: (why) => (why === 'first' ? Promise.resolve(token) : Promise.reject(tokenOver())) }
      : await signIn(urls[0] as string, me, options.password)

  const terminal =
    process.stdin.isTTY && process.stdout.isTTY
      ? createInterface({ input: process.stdin, output: process.stdout })
      : undefined
  const view = createView(terminal)
  let current = await account.getToken('first')
  const client = createClient({
    endpoints: urls,
    device: recall(me).device,
    platform: 'terminal',
    getToken: async (why) => {
      current = await account.getToken(why)
      return current
    },
    storage: positionsOf(me),
  })
  const api = createApi({ endpoint: urls[0] as string, getToken: () => current })
  const marks = new ReadMarks(client)
  const chat: Chat = { client, api, view, me, to: options.to, own: new Set(), marks, failed: false }
  const ready = follow(chat)
  client.connect()
  if (terminal !== undefined) await converse(chat, terminal)
  else {
    // What a pipe asks about is who is there now, not before it was connected.
    await ready
    for await (const line of createInterface({ input: process.stdin })) await handle(chat, line)
  }
  // Without a session a pipe waits for one; what was typed is kept for the next run.
  if (terminal === undefined || client.state === 'live') await delivered(client)
  const isOver = client.state === 'closed'
  await marks.flush()
  await client.close()
  return chat.failed || isOver ? 1 : 0
}

async function converse(chat: Chat, terminal: Interface): Promise<void> {
  const prompt = () => {
    terminal.setPrompt(chat.to === undefined ? '> ' : `${chat.to}> `)
    terminal.prompt()
  }
  terminal.on('SIGINT', () => terminal.close())
  chat.client.on('close', ({ reconnect }) => {
    if (!reconnect) terminal.close()
  })
  chat.view.note('/help lists the commands')
  prompt()
  for await (const line of terminal) {
    if (line.trim() === '/quit') break
    await handle(chat, line)
    prompt()
  }
  terminal.close()
}

function readOptions() {
  let values: { as?: string; to?: string; url?: string[]; password?: string; token?: string; help?: boolean }
  try {
    values = parseArgs({
      options: {
        as: { type: 'string' },
        to: { type: 'string' },
        url: { type: 'string', multiple: true },
        password: { type: 'string' },
        token: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(describe(error))
  }
  if (values.help) return undefined
  if (!isId(values.as)) throw new UsageError('--as needs a user id: 1 to 64 of A-Z a-z 0-9 _ . -')
  const urls = values.url ?? ['http://127.0.0.1:8080']
  for (const url of urls) if (!URL.canParse(url)) throw new UsageError(`--url ${url} is no URL`)
  const { token, password } = values
  return {
    me: values.as,
    to: values.to === undefined ? undefined : targetOf(values.to),
    urls,
    token,
    password,
  }
}

function targetOf(text: string): string {
  const target = text.includes(':') ? text : `user:${text}`
  if (!isTarget(target))
    throw new UsageError(`${text} is nobody to write to: <user>, group:<id> or channel:<id>`)
  return target
}

function tokenOver(): StarlingError {
  return new StarlingError('unauthorized', 'the token is not taken')
}

/** Shows what comes. @returns when everything missed has been shown, or nothing will ever come */
async function follow(chat: Chat): Promise<void> {
  const { client, view } = chat
  let loaded = Promise.resolve()
  client.on('message', (message) => show(chat, message))
  client.on('reload', ({ convs }) => {
    loaded = loadMissed(chat, convs).catch((error: unknown) => view.note(describe(error)))
  })
  client.on('welcome', ({ node }) => view.note(`connected to ${node}`))
  client.on('close', ({ name, reconnect }) => view.note(`${name}${reconnect ? ', trying again' : ''}`))
  client.on('error', (error) => view.note(describe(error)))
  await new Promise<void>((resolve) => {
    client.on('state', ({ to }) => {
      if (to === 'live' || to === 'closed') resolve()
    })
  })
  await loaded
}

function show({ marks, view, me, own }: Chat, message: Message): void {
  const isOwn = message.from === me && message.ref !== undefined && own.delete(message.ref)
  if (marks.add(message) && !isOwn) view.message(lineOf(message, me))
}

/** What no sync brings, to a device new to the user for one: the unread messages of the newest conversations. */
async function loadMissed(chat: Chat, convs: string[] | 'all'): Promise<void> {
  const { conversations } = await chat.api.conversations({ limit: 100 })
  for (const { conv, read, unread } of conversations) {
    if (unread === 0 || (convs !== 'all' && !convs.includes(conv))) continue
    const { messages } = await chat.api.messages(conv, { after: read, limit: Math.min(unread, 100) })
    for (const message of messages) show(chat, message)
  }
}

/** Waits until everything written has been stored or refused. */
function delivered(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (client.outbox.length === 0 || client.state === 'closed') resolve()
    }
    client.on('outbox', look)
    client.on('state', look)
    look()
  })
}

async function handle(chat: Chat, line: string): Promise<void> {
  try {
    if (line.startsWith('/')) await command(chat, line)
    else if (line.trim() !== '') write(chat, line)
  } catch (error) {
    chat.failed = true
    chat.view.note(describe(error))
  }
}

function write(chat: Chat, text: string): void {
  const { client, to, own, view } = chat
  if (to === undefined) throw new Error('nobody to write to yet: /to <user>, /group <id>')
  const ref = crypto.randomUUID()
  own.add(ref)
  client.send({ to, ref, body: { type: 'text', text } }).catch((error: unknown) => {
    own.delete(ref)
    chat.failed = true
    view.note(`not sent: ${describe(error)}: ${text}`)
  })
}

async function command(chat: Chat, line: string): Promise<void> {
  const { api, view, me } = chat
  const [name, ...words] = line.trim().split(/\s+/)
  const [first] = words
  switch (name) {
    case '/to':
    case '/group':
    case '/channel': {
      if (first === undefined) throw new Error(`${name} whom?`)
      chat.to = targetOf(name === '/to' ? first : `${name.slice(1)}:${first}`)
      return
    }
    case '/who': {
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const page = await api.online({ cursor, limit: 100 })
        cursor = page.cursor
        for (const user of page.users)
          view.message(user.name === user.id ? user.id : `${user.id} (${user.name})`)
      }
      return
    }
    case '/groups': {
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const page = await api.conversations({ cursor, limit: 100 })
        cursor = page.cursor
        for (const { conv, title, unread } of page.conversations) {
          if (conv.startsWith('group:')) view.message(`${conv} ${title ?? ''} (${unread} unread)`)
        }
      }
      return
    }
    case '/create': {
      if (first === undefined) throw new Error('/create <name> [users]')
      const group = await api.createGroup({ name: first, members: words.slice(1) })
      chat.to = `group:${group.id}`
      view.note(`made group:${group.id}`)
      return
    }
    case '/history': {
      const limit = first === undefined ? 20 : Number(first)
      const { messages } = await api.messages(hereIn(chat), { limit })
      for (const message of messages) view.message(lineOf(message, me))
      return
    }
    case '/help':
      view.note(COMMANDS)
      return
    default:
      throw new Error(`${name} is no command; /help lists them`)
  }
}

function hereIn({ me, to }: Chat): string {
  if (to === undefined) throw new Error('history of what? /to <user> or /group <id> first')
  return convOf(me, to as Target)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof StarlingError && error.code !== 'unauthorized'
    ? `${error.message} (${error.code})`
    : error.message
}
