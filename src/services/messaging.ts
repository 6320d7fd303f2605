/**
 * Sending: one message into its conversation's log, and for a dm into the inboxes. What is refused, and in which
 * words, is decided here; that it happens once and in order is the scripts' business.
 */
import { ProtocolError } from '@starling/protocol/errors'
import type { UserBody } from '@starling/protocol/frames'
import {
  type ConvId,
  channelConv,
  dmOf,
  groupConv,
  type InboxPosition,
  type MessageId,
  type Ref,
  SYSTEM,
  type Target,
  type UserId,
} from '@starling/protocol/ids'
import { OVERLOADED_RETRY_MS } from '../lib/load.ts'
import { messageTail, needleOf } from './message-json.ts'
import type { ChannelWriters, ConvPort, DmPort, DmSent, Draft, InboxPort } from './ports.ts'

/**
 * What may be on its way to the store at a time, bytes: with a store that stands still for seconds, a gateway would fill up
 * with what nobody waits for any more. Beyond it sends are refused at once.
 */
const BACKLOG_BYTES = 128 * 1024 ** 2
/** What a send takes beside its text while it is on its way, about. */
const SEND_BYTES = 4 * 1024

export interface Outgoing {
  from: UserId
  to: Target
  body: UserBody
  ref: Ref
  reply?: MessageId | undefined
  mentions?: readonly UserId[] | undefined
  /** This ref may have been sent before. */
  retry?: boolean | undefined
  /** Whether the sender's own inbox gets a dm too: where another device or session of theirs is known. */
  echo?: boolean
}

export interface Sent {
  conv: ConvId
  id: MessageId
  inbox?: InboxPosition
  dup?: true
}

export class Messaging {
  readonly #convs: ConvPort
  readonly #dms: DmPort
  readonly #inboxes: InboxPort
  readonly #channels: ReadonlyMap<string, ChannelWriters>
  readonly #maxBodyBytes: number
  /** Bytes on their way to the store. */
  #backlog = 0

  constructor(deps: {
    convs: ConvPort
    dms: DmPort
    inboxes: InboxPort
    channels: ReadonlyMap<string, ChannelWriters>
    maxBodyBytes: number
  }) {
    this.#convs = deps.convs
    this.#dms = deps.dms
    this.#inboxes = deps.inboxes
    this.#channels = deps.channels
    this.#maxBodyBytes = deps.maxBodyBytes
  }

  /**
   * Stores a message. When this resolves it is in the log and in the inboxes it belongs in.
   * @throws ProtocolError with the reason it was refused; `unavailable`: not known to be stored; `overloaded`: too much waits
   */
  send(message: Outgoing): Promise<Sent> {
    const colon = message.to.indexOf(':')
    const name = message.to.slice(colon + 1)
    switch (message.to.slice(0, colon)) {
      case 'user':
        return this.#sendDm(message, name as UserId)
      case 'group':
        return this.#append(message, groupConv(name), message.from === SYSTEM ? 'group' : 'member')
      default:
        return this.#sendToChannel(message, name)
    }
  }

  #sendDm(message: Outgoing, to: UserId): Promise<Sent> {
    const { from } = message
    if (to === SYSTEM) throw new ProtocolError('forbidden', 'nobody can write to system')
    const draft = this.#draft(message, dmOf(from, to))
    const sent = this.#dms.send(draft, to, {
      guard: from === SYSTEM || from === to ? 'free' : 'check',
      echo: from !== SYSTEM && (from === to || message.echo === true),
    })
    this.#backlog += sizeOf(draft)
    return sent.then(
      (outcome) => {
        this.#backlog -= sizeOf(draft)
        return dmOutcome(draft.conv, outcome)
      },
      (fault: unknown) => {
        this.#backlog -= sizeOf(draft)
        throw fault
      },
    )
  }

  async #sendToChannel(message: Outgoing, name: string): Promise<Sent> {
    const writers = this.#channels.get(name)
    if (!writers) throw new ProtocolError('not_found', 'no such channel')
    if (writers === 'server' && message.from !== SYSTEM) {
      throw new ProtocolError('forbidden', 'only the server writes in this channel')
    }
    const sent = await this.#append(message, channelConv(name), 'channel')
    if (message.from !== SYSTEM) {
      // The sender's read position follows; the message is stored whether or not this comes through.
      this.#inboxes.readChannel(message.from, sent.conv, sent.id, false).catch(() => {})
    }
    return sent
  }

  async #append(message: Outgoing, conv: ConvId, guard: 'member' | 'group' | 'channel'): Promise<Sent> {
    const draft = this.#draft(message, conv)
    this.#backlog += sizeOf(draft)
    const appended = await this.#convs.append(draft, guard).finally(() => {
      this.#backlog -= sizeOf(draft)
    })
    switch (appended.is) {
      case 'ok':
        return { conv, id: appended.id }
      case 'dup':
        return { conv, id: appended.id, dup: true }
      case 'not_found':
        throw new ProtocolError('not_found', 'no such group')
      case 'not_member':
        throw new ProtocolError('not_member', 'you are not a member of this group')
      case 'muted':
        throw new ProtocolError('muted', 'you are muted in this group')
    }
  }

  /** @throws ProtocolError where the message can't be taken */
  #draft(message: Outgoing, conv: ConvId): Draft {
    if (this.#backlog > BACKLOG_BYTES) {
      throw new ProtocolError('overloaded', 'the store is behind', { retryIn: OVERLOADED_RETRY_MS })
    }
    const body = JSON.stringify(message.body)
    // A string of n UTF-16 units has n to 3n bytes: most bodies need no count.
    if (body.length * 3 > this.#maxBodyBytes && Buffer.byteLength(body) > this.#maxBodyBytes) {
      throw new ProtocolError('too_large', `a body has at most ${this.#maxBodyBytes} bytes of JSON`, {
        field: 'body',
      })
    }
    const needle = needleOf(conv, message.from, message.ref)
    return {
      conv,
      from: message.from,
      ref: message.ref,
      retry: message.retry === true,
      needle,
      tail: messageTail(needle, body, message),
    }
  }
}

const sizeOf = ({ tail }: Draft): number => tail.length + SEND_BYTES

function dmOutcome(conv: ConvId, sent: DmSent): Sent {
  switch (sent.is) {
    case 'blocked':
      throw new ProtocolError('blocked', 'this user has blocked you')
    case 'stranger_limit':
      throw new ProtocolError('stranger_limit', 'wait for an answer before you write more')
    case 'ok':
    case 'dup': {
      const { id, inbox, is } = sent
      return { conv, id, ...(inbox && { inbox }), ...(is === 'dup' && { dup: true }) }
    }
  }
}
