/**
 * What the services need of the store, in the words of the domain. The stores have these shapes.
 */

import type { SessionInfo } from '@starling/protocol/frames'
import type {
  ConvId,
  DeviceId,
  GroupId,
  InboxPosition,
  MessageId,
  NodeId,
  Ref,
  SessionId,
  UserId,
} from '@starling/protocol/ids'

/** A message on its way into a log. */
export interface Draft {
  conv: ConvId
  from: UserId
  ref: Ref
  /** The ref may be older than its key: look through the log as well. */
  retry: boolean
  /** What the entry starts with: conversation, sender and ref. */
  needle: string
  /** The message's JSON without braces, op and id. */
  tail: string
}

/** Which stretch of a log, in XRANGE bounds. */
export interface Stretch {
  order: 'forward' | 'back'
  low: string
  high: string
  count: number
}

export type Appended = { is: 'ok' | 'dup'; id: MessageId } | { is: 'not_found' | 'not_member' | 'muted' }

export type DmSent =
  | {
      is: 'ok' | 'dup'
      id: MessageId
      /** Where it lies in the sender's inbox, if it was put there now. */
      inbox: InboxPosition | undefined
    }
  | { is: 'blocked' | 'stranger_limit' }

export interface DmPort {
  /**
   * Stores a message to `other`; when this resolves it is in the log and in the inboxes it belongs in.
   * @param how.guard `check`: blocks and the stranger limit bind the sender
   * @param how.echo whether the sender's own inbox gets it too
   */
  send(draft: Draft, other: UserId, how: { guard: 'check' | 'free'; echo: boolean }): Promise<DmSent>
}

export type ConvView =
  | {
      is: 'ok'
      head: MessageId
      read: MessageId | undefined
      peerRead: MessageId | undefined
      peerReceived: MessageId | undefined
      name: string | undefined
      last: { id: MessageId; tail: string } | undefined
    }
  | { is: 'not_found' | 'not_member' }

export interface LogEntry {
  id: MessageId
  tail: string
}

export type ConvRange =
  | { is: 'ok'; head: MessageId; floor: MessageId; first: MessageId | undefined; entries: LogEntry[] }
  | { is: 'not_found' | 'not_member' }

export type Advanced =
  | { is: 'moved' | 'stale'; position: MessageId; head: MessageId }
  | { is: 'not_found' | 'not_member' }

export interface ConvPort {
  append(draft: Draft, guard: 'member' | 'group' | 'channel'): Promise<Appended>
  view(conv: ConvId, user: UserId): Promise<ConvView>
  range(conv: ConvId, user: UserId, stretch: Stretch): Promise<ConvRange>
  advance(conv: ConvId, user: UserId, what: 'read' | 'recv', id: MessageId): Promise<Advanced>
  /** Passes a live frame to the members of a group. */
  tell(conv: ConvId, user: UserId, frame: string): Promise<'ok' | 'not_member'>
  /** Whether `user` has blocked the other one of a dm. */
  blocks(conv: ConvId, user: UserId): Promise<boolean>
}

/** The conversations in a user's own books. */
export interface Books {
  /** The latest first. */
  dms: ConvId[]
  groups: GroupId[]
  /** How far they have read in channels. */
  reads: ReadonlyMap<ConvId, MessageId>
}

export interface InboxEntry extends LogEntry {
  position: InboxPosition
}

export interface InboxRange {
  head: InboxPosition
  entries: InboxEntry[]
}

/** What a sync of the inbox starts from, of one moment. */
export interface CaughtUp {
  range: InboxRange
  books: Books
}

export interface InboxPort {
  /** @param count entries at most, after a position */
  catchUp(user: UserId, after: InboxPosition, count: number): Promise<CaughtUp>
  /** @returns entries after a position, at most so many */
  entries(user: UserId, after: InboxPosition, count: number): Promise<InboxEntry[]>
  /** @returns the last entry that is not behind a position, if any */
  lastUpTo(user: UserId, position: InboxPosition): Promise<InboxPosition | undefined>
  head(user: UserId): Promise<InboxPosition>
  /** @returns the entries that no device had before */
  received(user: UserId, device: DeviceId, position: InboxPosition): Promise<{ covered: LogEntry[] }>
  /** Passes a live frame to a user's sessions; with `except`, to all but that one. */
  tell(user: UserId, frame: string, except?: SessionId): Promise<void>
  /** Passes on what may be dropped: to those of a user's sessions that are not behind. */
  hint(user: UserId, frame: string): Promise<void>
  /** Moves the read position in a channel; `first`: only where there is none. */
  readChannel(
    user: UserId,
    conv: ConvId,
    id: MessageId,
    first: boolean,
  ): Promise<{ moved: boolean; position: MessageId }>
  books(user: UserId): Promise<Books>
  /** Where a device's inbox is safe up to. */
  devicePosition(user: UserId, device: DeviceId): Promise<InboxPosition | undefined>
}

export type Created = { is: 'ok'; id: MessageId; createdAt: number } | { is: 'conflict' }

export type GroupDescribed =
  | {
      is: 'ok'
      name: string
      intro: string
      icon: string
      owner: UserId
      members: number
      join: 'invite' | 'open'
      history: 'joined' | 'all'
      createdAt: number
    }
  | { is: 'not_found' | 'not_member' }

export interface MemberListed {
  user: UserId
  role: 'owner' | 'admin' | 'member'
  joined: MessageId
  mutedUntil: number
}

export type MembersListed =
  | { is: 'ok'; total: number; members: MemberListed[] }
  | { is: 'not_found' | 'not_member' }

export type MembersAdded =
  | {
      is: 'ok'
      id: MessageId
      /** The event; empty where nobody is new. */
      tail: string
      added: UserId[]
      /** Who was a member already, and the id they joined at. */
      there: [UserId, MessageId][]
    }
  | { is: 'not_found' | 'not_member' | 'forbidden' }

export type MemberRemoved =
  | { is: 'ok'; id: MessageId }
  | { is: 'not_found' | 'not_member' | 'no_such_member' | 'forbidden' | 'owner_stays' }

/** A change in a group as its users' own books are told of it. */
export interface Telling {
  change: 'enter' | 'exit'
  group: GroupId
  /** The event's id. */
  id: MessageId
  users: UserId[]
  /** The event: its JSON without braces, op and id. */
  tail: string
}

/** What create, add and remove change stands as untold by this node until it is `told`. */
export interface GroupPort {
  create(group: GroupId, owner: UserId, about: NewGroup, others: UserId[], tail: string): Promise<Created>
  describe(group: GroupId, user: UserId): Promise<GroupDescribed>
  list(group: GroupId, user: UserId, after: string, count: number): Promise<MembersListed>
  /** `tail`: the event's JSON around its list of users. */
  add(
    group: GroupId,
    by: UserId,
    users: UserId[],
    tail: { before: string; after: string },
  ): Promise<MembersAdded>
  remove(group: GroupId, by: UserId, user: UserId, tail: string): Promise<MemberRemoved>
  /**
   * Notes in a user's own books that they entered or left, unless a later change stands there.
   * @returns the place of the event in their inbox
   */
  noteMembership(
    user: UserId,
    telling: Pick<Telling, 'change' | 'group' | 'id' | 'tail'>,
  ): Promise<InboxPosition | undefined>
  /** Notes that all users of a change know. @param node whose call it was; this node's where not given */
  told(telling: Pick<Telling, 'group' | 'id'>, node?: NodeId): Promise<void>
  /** @returns what stands as untold in a bucket of groups, a page at a time */
  untold(bucket: number, node?: NodeId): AsyncIterable<Telling[]>
  bucketOf(group: GroupId): number
}

export interface NewGroup {
  name: string
  intro: string
  icon: string
  join: 'invite' | 'open'
  history: 'joined' | 'all'
}

/** One session as the store has to know it. */
export interface NewSession {
  user: UserId
  session: SessionId
  device: DeviceId
  platform: string
  /** Unix ms. */
  since: number
  /** The name in the token. */
  name: string | undefined
}

export type Joined =
  | {
      is: 'ok'
      /** The number of this change of presence; undefined where the user was online. */
      came: number | undefined
      inboxHead: InboxPosition
      oldestInbox: InboxPosition | undefined
      /** The device's received position; undefined for one never seen before. */
      devicePosition: InboxPosition | undefined
      sessions: number
      devices: number
      name: string | undefined
      avatar: string | undefined
      /** The `session` frame, ready to send; undefined where this is the user's only session. */
      sessionFrame: string | undefined
      groups: GroupId[]
    }
  | { is: 'full' }

export interface Rejoined {
  /** The number of this change of presence; undefined where the user was online. */
  came: number | undefined
  inboxHead: InboxPosition
  groups: GroupId[]
}

export interface SessionPort {
  join(session: NewSession): Promise<Joined>
  /**
   * @returns whether it was the user's last session of all, the same when asked again; and by which change the user is online,
   *   as one is for a grace after the last session, too
   */
  leave(user: UserId, session: SessionId): Promise<{ last: boolean; online: number | undefined }>
  /**
   * Ends a user's presence if `session` was the last to leave and none has come; else the reaper need not look at this
   * user any more. @returns the number of that change
   */
  endPresence(user: UserId, session: SessionId): Promise<{ gone: number | undefined }>
  /** Notes that everybody has been told of this leaving: the reaper need not look at this user any more. */
  release(user: UserId, session: SessionId): Promise<void>
  rejoin(user: UserId, sessions: NewSession[]): Promise<Rejoined>
  list(user: UserId): Promise<SessionInfo[]>
  kick(user: UserId, session: SessionId | '*'): Promise<'ok' | 'not_found' | 'unheard'>
}

export interface OnlinePort {
  /** @returns those of the users who are online */
  among(users: readonly UserId[]): Promise<Set<UserId>>
  total(): Promise<number>
  /** @returns how many are online in each bucket */
  counts(): Promise<number[]>
  /** @returns up to `count` users of a bucket, by name after `after` */
  page(bucket: number, after: string, count: number): Promise<UserId[]>
}

/** Changes of presence, each user with the number of the change, so that a late one is known as late. */
export interface PresenceBatch {
  on: [UserId, number][]
  off: [UserId, number][]
  /** A node was reaped: changes it decided may never have been told. */
  reaped?: boolean
}

/** Who may write in a channel; everybody reads. */
export type ChannelWriters = 'everybody' | 'server'
