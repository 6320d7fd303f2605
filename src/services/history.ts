/**
 * Reading back: pages of a log, and the list of a user's conversations. Messages leave as the JSON they were
 * stored as; only a list's `last` is looked into, to cut it.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { ConversationEntry } from '@starling/protocol/frames'
import {
  type ConvId,
  channelConv,
  comparePositions,
  groupConv,
  type MessageId,
  ORIGIN,
  parseConv,
  seqOf,
  type UserId,
} from '@starling/protocol/ids'
import { LAST_BODY_BYTES } from '@starling/protocol/limits'
import { historyJson, parseMessage } from './message-json.ts'
import type { Books, ChannelWriters, ConvPort, ConvView, InboxPort, Stretch } from './ports.ts'

/** Lines of a list that are read together: a client may name thousands, and others wait behind them. */
const ENTRIES_AT_ONCE = 500

/** A conversation that may be read, as the store sees it. */
interface Line {
  conv: ConvId
  view: Extract<ConvView, { is: 'ok' }>
}

export type HistoryPage = { limit: number } & (
  | { before?: MessageId | undefined }
  | { after: MessageId }
  | { at: number }
)

export class History {
  readonly #convs: ConvPort
  readonly #inboxes: InboxPort
  readonly #channels: ReadonlyMap<string, ChannelWriters>

  constructor(deps: { convs: ConvPort; inboxes: InboxPort; channels: ReadonlyMap<string, ChannelWriters> }) {
    this.#convs = deps.convs
    this.#inboxes = deps.inboxes
    this.#channels = deps.channels
  }

  /**
   * A page of a conversation.
   * @returns messages as JSON texts, oldest first; `more`: whether there are more in the direction asked
   * @throws ProtocolError `not_found` for another's dm, an unknown channel or group; `not_member`
   */
  async messages(
    user: UserId,
    conv: ConvId,
    page: HistoryPage,
  ): Promise<{ messages: string[]; more: boolean }> {
    this.#assertOwn(user, conv)
    const range = await this.#convs.range(conv, user, stretchOf(page))
    if (range.is !== 'ok') throw refusal(range.is)
    const entries = range.entries.slice(0, page.limit)
    const messages = entries.map(({ id, tail }) => historyJson(id, tail))
    if (stretchOf(page).order === 'back') messages.reverse()
    return { messages, more: range.entries.length > page.limit }
  }

  /** @throws ProtocolError `not_found` for another's dm, an unknown channel or group; `not_member` */
  async conversation(user: UserId, conv: ConvId): Promise<ConversationEntry> {
    this.#assertOwn(user, conv)
    const view = await this.#convs.view(conv, user)
    if (view.is !== 'ok') throw refusal(view.is)
    const { reads } = await this.#inboxes.books(user)
    const line = { conv, view }
    return entryOf(line, await this.#seen(user, [line], reads))
  }

  /**
   * The conversations of a user, the latest activity first.
   * @param page.cursor where the page before ended
   */
  async conversations(
    user: UserId,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ conversations: ConversationEntry[]; cursor?: string }> {
    const all = await this.list(user, await this.#inboxes.books(user))
    // The order moves while somebody pages: the cursor is the line behind which to go on, by its head.
    const start = page.cursor === undefined ? 0 : all.findIndex((entry) => isBehind(entry, page.cursor!))
    const rest = start < 0 ? [] : all.slice(start)
    const conversations = rest.slice(0, page.limit)
    const last = conversations.at(-1)
    return { conversations, ...(rest.length > page.limit && last && { cursor: cursorOf(last) }) }
  }

  /** Every conversation in a user's books that they may read now, the latest first. One round trip for most. */
  list(user: UserId, { dms, groups, reads }: Books): Promise<ConversationEntry[]> {
    const channels = [...this.#channels.keys()].map(channelConv)
    return this.entries(user, [...dms, ...groups.map(groupConv), ...channels], reads)
  }

  /**
   * The same for some conversations; those that may not be read are left out.
   * @param reads how far the user has read in channels
   */
  async entries(user: UserId, convs: readonly ConvId[], reads: Books['reads']): Promise<ConversationEntry[]> {
    const lines: ConversationEntry[] = []
    for (let at = 0; at < convs.length; at += ENTRIES_AT_ONCE) {
      const some = convs.slice(at, at + ENTRIES_AT_ONCE).filter((conv) => this.mayKnow(user, conv))
      const views = await Promise.all(some.map((conv) => this.#convs.view(conv, user)))
      const open = some.flatMap((conv, index) => {
        const view = views[index]!
        return view.is === 'ok' ? [{ conv, view }] : []
      })
      const seen = await this.#seen(user, open, reads)
      for (const line of open) lines.push(entryOf(line, seen))
    }
    return lines.sort(byActivity)
  }

  /** @returns whether a conversation can be this user's at all; of groups only the group knows */
  mayKnow(user: UserId, conv: ConvId): boolean {
    const parsed = parseConv(conv)
    if (parsed?.kind === 'dm') return parsed.users.includes(user)
    return parsed?.kind === 'group' || (parsed?.kind === 'channel' && this.#channels.has(parsed.channel))
  }

  #assertOwn(user: UserId, conv: ConvId): void {
    if (!this.mayKnow(user, conv)) throw new ProtocolError('not_found', 'no such conversation')
  }

  /** One who sees a channel for the first time has read it up to its head. @returns how far they have read in channels */
  async #seen(user: UserId, lines: readonly Line[], reads: Books['reads']): Promise<Books['reads']> {
    const unseen = lines.filter(({ conv }) => isChannel(conv) && !reads.has(conv))
    if (unseen.length === 0) return reads
    const first = await Promise.all(
      unseen.map(({ conv, view }) => this.#inboxes.readChannel(user, conv, view.head, true)),
    )
    return new Map([...reads, ...unseen.map(({ conv }, index) => [conv, first[index]!.position] as const)])
  }
}

function refusal(is: 'not_found' | 'not_member'): ProtocolError {
  return is === 'not_found'
    ? new ProtocolError('not_found', 'no such conversation')
    : new ProtocolError('not_member', 'you are not a member of this group')
}

const isChannel = (conv: ConvId) => conv.startsWith('channel:')

function entryOf({ conv, view }: Line, reads: Books['reads']): ConversationEntry {
  const read = (isChannel(conv) ? reads.get(conv) : view.read) ?? ORIGIN
  return {
    conv,
    head: view.head,
    read,
    unread: Math.max(0, seqOf(view.head) - seqOf(read)),
    ...(view.peerRead && { peerRead: view.peerRead }),
    ...(view.peerReceived && { peerReceived: view.peerReceived }),
    ...(view.last && { last: lastOf(view.last) }),
    ...(view.name !== undefined && { title: view.name }),
  }
}

/** One entry more than asked shows whether there are more. */
function stretchOf(page: HistoryPage): Stretch {
  const count = page.limit + 1
  if ('after' in page) return { order: 'forward', low: `(${page.after}`, high: '+', count }
  if ('at' in page) return { order: 'forward', low: `${page.at}-0`, high: '+', count }
  return { order: 'back', low: '-', high: page.before === undefined ? '+' : `(${page.before}`, count }
}

/** The newest message for a list, its body cut where it is long. */
function lastOf({ id, tail }: { id: MessageId; tail: string }): NonNullable<ConversationEntry['last']> {
  const { op: _op, ...message } = parseMessage(id, tail)
  const { body } = message
  if (Buffer.byteLength(JSON.stringify(body)) <= LAST_BODY_BYTES) return message
  const short = body.type === 'text' ? { type: body.type, text: cutText(body.text) } : { type: body.type }
  return { ...message, body: short as typeof body, cut: true }
}

/** Leaves room for the rest of the body; never ends in half a surrogate pair. */
const cutText = (text: string) => text.slice(0, LAST_BODY_BYTES / 4).toWellFormed()

const byActivity = (a: ConversationEntry, b: ConversationEntry) =>
  comparePositions(b.head, a.head) || (a.conv < b.conv ? -1 : Number(a.conv > b.conv))

const cursorOf = (entry: ConversationEntry) => `${entry.head}~${entry.conv}`

function isBehind(entry: ConversationEntry, cursor: string): boolean {
  const [head = '', conv = ''] = cursor.split('~')
  return byActivity(entry, { ...entry, head, conv }) > 0
}
