/**
 * The names of Starling: how ids, positions, conversations and targets are written, parsed and compared.
 *
 * Glossary, one word per thing, the same in code, keys, metrics, docs and interface texts:
 *
 *   user          who sends and receives; every well-formed id is a user
 *   device        a user's installation, stable over reconnects; tabs may share one
 *   session       one authenticated connection of a device, named by a UUID of the server
 *   connection    one socket, before and after it has become a session
 *   gateway       the process that holds connections
 *   node          a gateway as the cluster knows it: its id is new at every boot
 *   lease         a node's claim to be alive, renewed until it dies
 *   conversation  where messages are: a dm (two users), a group (members), a channel (everybody)
 *   member        a user of a group, with a role
 *   message       what is sent; its id is `<ms>-<seq>`, dense within its conversation
 *   ref           a client's name for its request; for a send also the dedupe key
 *   ack           the reply that a message is stored
 *   recall        taking a message back
 *   log           a conversation's stream of messages
 *   inbox         a user's stream of what is addressed to them alone: the offline queue
 *   position      an id in a log or inbox up to which something is known
 *   receipt       the other user's positions in a dm: received, read
 *   unread        head minus read position
 *   presence      online or offline; watch: to be told of it; typing: a fleeting sign of life
 *   hello, welcome, sync, resync, goodbye   the stations of a session
 *   drain         a gateway leaving in good order
 *   bus           what carries frames between gateways; hub: who is here; fan-out: bus → sockets
 *   owner         a user, conversation, node: what changes atomically; bucket: its hash tag
 *   outbox        what a client has not had acked yet
 */

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type UserId = Branded<'UserId'>
export type GroupId = Branded<'GroupId'>
export type ChannelId = Branded<'ChannelId'>
export type DeviceId = Branded<'DeviceId'>
export type SessionId = Branded<'SessionId'>
export type NodeId = Branded<'NodeId'>
/** `dm:<a>:<b>` with a ≤ b in byte order, `group:<id>` or `channel:<id>`. */
export type ConvId = Branded<'ConvId'>
/** `user:<id>`, `group:<id>` or `channel:<id>`. */
export type Target = Branded<'Target'>
/** `<ms>-<seq>`: the id of a message, dense within its conversation. */
export type MessageId = Branded<'MessageId'>
/** `<ms>-<seq>`: a place in one user's inbox, dense within it. */
export type InboxPosition = Branded<'InboxPosition'>
/** What both kinds of `<ms>-<seq>` have in common. */
export type Position = MessageId | InboxPosition
export type Ref = Branded<'Ref'>

/** Names, without `.` and `..`. The look-ahead keeps the rule in one expression that JSON Schema understands. */
export const ID_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/
export const REF_PATTERN = /^[\x20-\x7e]{1,64}$/
const POSITION_PATTERN = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/
export const SESSION_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The author of what the server itself sends; nobody can sign in as it. */
export const SYSTEM = 'system' as UserId
/** Before the first message or inbox entry. */
export const ORIGIN = '0-0' as MessageId & InboxPosition

/** @returns whether `text` can name a user, group, channel or device */
export const isId = (text: unknown): text is string => typeof text === 'string' && ID_PATTERN.test(text)

/** @returns whether `text` can be a request's ref */
export const isRef = (text: unknown): text is Ref => typeof text === 'string' && REF_PATTERN.test(text)

/** @returns whether `text` is `<ms>-<seq>` in canonical form, both below 2^53 */
export function isPosition(text: unknown): text is MessageId & InboxPosition {
  if (typeof text !== 'string') return false
  const match = POSITION_PATTERN.exec(text)
  return match !== null && Number.isSafeInteger(Number(match[1])) && Number.isSafeInteger(Number(match[2]))
}

/** @returns the milliseconds of a position (of a message: when Redis stored it) */
export const msOf = (position: string): number => Number(position.slice(0, position.indexOf('-')))

/** @returns the dense number of a position */
export const seqOf = (position: string): number => Number(position.slice(position.indexOf('-') + 1))

/** Orders positions by (ms, seq). @returns negative, 0 or positive, as Array.sort wants it */
export function comparePositions(a: string, b: string): number {
  return msOf(a) - msOf(b) || seqOf(a) - seqOf(b)
}

/** @returns the later of two positions */
export const laterOf = <P extends string>(a: P, b: P): P => (comparePositions(a, b) < 0 ? b : a)

/** A conversation or target taken apart. */
export type Conversation =
  | { kind: 'dm'; users: readonly [UserId, UserId] }
  | { kind: 'group'; group: GroupId }
  | { kind: 'channel'; channel: ChannelId }

/** @returns the conversation of two users, whoever asks */
export const dmOf = (a: string, b: string): ConvId => (a <= b ? `dm:${a}:${b}` : `dm:${b}:${a}`) as ConvId
export const groupConv = (group: string): ConvId => `group:${group}` as ConvId
export const channelConv = (channel: string): ConvId => `channel:${channel}` as ConvId

/** Takes a conversation id apart. @returns undefined where it isn't one */
export function parseConv(text: unknown): Conversation | undefined {
  if (typeof text !== 'string') return undefined
  const [kind, first, second, ...rest] = text.split(':')
  if (rest.length > 0 || !isId(first)) return undefined
  if (kind === 'dm') {
    if (!isId(second) || first > second) return undefined
    return { kind, users: [first as UserId, second as UserId] }
  }
  if (second !== undefined) return undefined
  if (kind === 'group') return { kind, group: first as GroupId }
  if (kind === 'channel') return { kind, channel: first as ChannelId }
  return undefined
}

/** @returns whether `text` is a well-formed conversation id */
export const isConv = (text: unknown): text is ConvId => parseConv(text) !== undefined

/** @returns whether `text` is a well-formed target */
export function isTarget(text: unknown): text is Target {
  if (typeof text !== 'string') return false
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon)
  return (kind === 'user' || kind === 'group' || kind === 'channel') && isId(text.slice(colon + 1))
}

/** @returns the conversation that a send of `from` to `to` goes into */
export function convOf(from: string, to: Target): ConvId {
  return to.startsWith('user:') ? dmOf(from, to.slice('user:'.length)) : (to as string as ConvId)
}

/** @returns the user on the other side of a dm; oneself in a dm with oneself */
export function peerIn(users: readonly [UserId, UserId], user: string): UserId {
  return users[0] === user ? users[1] : users[0]
}
