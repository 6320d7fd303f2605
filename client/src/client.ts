/**
 * The face of the SDK. Puts the parts together and says which frame goes to which of them; each part is in a
 * file of its own.
 */
import type { ServerFrameOf, Welcome } from '@starling/protocol/frames'
import { isId } from '@starling/protocol/ids'
import { TYPING_EVERY_MS } from '@starling/protocol/limits'
import { systemClock } from './clock.ts'
import { StarlingError } from './errors.ts'
import { Events } from './events.ts'
import { Keeper } from './keeper.ts'
import { Link, type SessionFrame } from './link.ts'
import { Outbox } from './outbox.ts'
import { Positions } from './positions.ts'
import { createRefs } from './refs.ts'
import { Requests } from './requests.ts'
import { Retold } from './retold.ts'
import type { Saved } from './storage.ts'
import { Syncer } from './sync.ts'
import { subjectOf, Tokens } from './token.ts'
import { socketUrl } from './transport.ts'
import type {
  Ack,
  Client,
  ClientEvent,
  ClientOptions,
  Draft,
  Listener,
  OutboxItem,
  Pong,
  Presence,
} from './types.ts'
import { Watches } from './watches.ts'

/**
 * Makes a client; `connect()` starts it.
 * @throws StarlingError `bad_request` for a device that is no id; TypeError for an endpoint that is no URL
 */
export function createClient(options: ClientOptions): Client {
  if (!isId(options.device)) throw new StarlingError('bad_request', 'no device id', { field: 'device' })
  if (options.endpoints.length === 0)
    throw new StarlingError('bad_request', 'no endpoint', { field: 'endpoints' })
  for (const endpoint of options.endpoints) socketUrl(endpoint)
  return new StarlingClient(options)
}

class StarlingClient implements Client {
  readonly #clock
  readonly #events = new Events()
  readonly #requests: Requests
  readonly #watches: Watches
  readonly #outbox: Outbox
  readonly #positions: Positions
  readonly #syncer: Syncer
  readonly #keeper: Keeper
  readonly #tokens: Tokens
  readonly #link: Link
  #welcome: Welcome | undefined
  /** What an earlier run has left, until it is known whose it is. */
  #saved: Saved | undefined
  #closing: Promise<void> | undefined
  #isClosing = false
  /** When `typing` was last said, by target; ms. */
  readonly #typedAt = new Map<string, number>()

  constructor(options: ClientOptions) {
    const { clock = systemClock, random = Math.random, storage, getToken } = options
    this.#clock = clock
    const failed = (error: unknown) => this.#events.emit('error', error)
    const refs = createRefs()
    const retold = new Retold()
    this.#requests = new Requests(refs)
    this.#watches = new Watches(this.#requests)
    this.#outbox = new Outbox({
      clock,
      random,
      refs,
      changed: (event) => {
        // Only what comes and goes has to be kept.
        if (event.status !== 'sent') this.#keeper.touch()
        this.#events.emit('outbox', event)
      },
    })
    this.#positions = new Positions({
      deliver: (frame) => {
        // What were shown now would be shown again by the next run: this one has saved how far it has come.
        if (this.#isClosing) return
        if (frame.ref !== undefined && frame.from === this.#welcome?.user.id) this.#outbox.seen(frame.ref)
        this.#keeper.touch()
        const was = retold.before(frame)
        if (was === undefined) this.#events.emit('message', frame)
        else this.#events.emit('moved', { conv: frame.conv, was, id: frame.id })
      },
      moved: () => this.#keeper.touch(),
      broke: (line) => this.#syncer.holeOpened(line),
      mended: (line) => this.#syncer.holeClosed(line),
      wentBack: (line) => this.#syncer.askFor(line),
      skipped: (line) => this.#syncer.skipped(line),
      isAsked: (line) => this.#syncer.isAsked(line),
    })
    this.#syncer = new Syncer({
      clock,
      random,
      positions: this.#positions,
      ask: (question) => this.#requests.ask<'synced'>(question),
      listed: (entries) => this.#events.emit('conversations', entries),
      reload: (convs) => this.#events.emit('reload', { convs }),
      failed,
    })
    this.#keeper = new Keeper({
      clock,
      storage,
      positions: this.#positions,
      unsent: () => [...(this.#saved?.outbox ?? []), ...this.#outbox.saved()],
      failed,
    })
    this.#tokens = new Tokens({ clock, random, getToken, failed })
    this.#link = new Link({
      endpoints: options.endpoints,
      hello: { device: options.device, platform: options.platform },
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      clock,
      random,
      tokens: this.#tokens,
      on: {
        prepare: (token) => this.#prepare(token),
        state: (change) => this.#events.emit('state', change),
        session: (welcome) => this.#begin(welcome),
        frame: (frame) => this.#take(frame),
        down: () => this.#down(),
        close: (close) => this.#events.emit('close', close),
        end: () => this.#requests.end(),
        error: failed,
      },
    })
  }

  get state() {
    return this.#link.state
  }

  get welcome(): Welcome | undefined {
    return this.#welcome
  }

  get endpoint(): string | undefined {
    return this.#link.endpoint
  }

  get outbox(): readonly OutboxItem[] {
    return this.#outbox.list()
  }

  connect(): void {
    this.#link.connect()
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop().then(() => this.#link.close())
    return this.#closing
  }

  on<Event extends ClientEvent>(event: Event, listener: Listener<Event>): () => void {
    return this.#events.on(event, listener)
  }

  send(draft: Draft): Promise<Ack> {
    return quietly(this.#outbox.send(draft))
  }

  recall(conv: string, id: string): Promise<void> {
    return quietly(this.#requests.insist({ op: 'recall', conv, id }).then(() => undefined))
  }

  read(conv: string, id: string): Promise<{ read: string; unread: number }> {
    const reply = this.#requests.insist<'ok'>({ op: 'read', conv, id })
    return quietly(reply.then(({ read, unread }) => ({ read: read as string, unread: unread as number })))
  }

  typing(to: string): void {
    const now = this.#clock.now()
    if (this.state !== 'live' || now - (this.#typedAt.get(to) ?? 0) < TYPING_EVERY_MS) return
    this.#typedAt.set(to, now)
    this.#link.say(JSON.stringify({ op: 'typing', to }))
  }

  watch(users: readonly string[]): Promise<Presence> {
    return quietly(this.#watches.watch(users))
  }

  unwatch(users: readonly string[]): Promise<void> {
    return quietly(this.#watches.unwatch(users))
  }

  sync(convs?: readonly string[]): Promise<void> {
    return quietly(this.#syncer.catchUp(convs))
  }

  ping(): Promise<Pong> {
    const askedAt = this.#clock.now()
    const reply = this.#requests.ask<'pong'>({ op: 'ping' })
    return quietly(
      reply.then(({ time, inbox }) => ({ time, inbox, roundTripMs: this.#clock.now() - askedAt })),
    )
  }

  async #prepare(token: string): Promise<string | undefined> {
    // In the first session positions come from an earlier run; later ones know better.
    if (this.#welcome === undefined) {
      this.#saved = await this.#keeper.load()
      if (this.#saved !== undefined && !this.#isClosing) {
        this.#positions.restore(this.#saved)
        // What is sent before the session begins is kept, too; nothing of another user, in whose name it would go out.
        const { user } = this.#saved
        this.#keeper.own(subjectOf(token) === user ? user : undefined)
      }
    }
    return this.#positions.inbox
  }

  /** @returns when everything missed has come */
  #begin(welcome: Welcome): Promise<void> {
    // A new session would show what it has missed.
    if (this.#isClosing) return this.#link.close()
    const saved = this.#saved
    this.#saved = undefined
    this.#welcome = welcome
    let { resumed } = welcome
    const { frame } = welcome.limits
    if (saved?.user === welcome.user.id) this.#outbox.restore(saved.outbox)
    else if (saved !== undefined) {
      this.#positions.forget()
      resumed = false
    }
    this.#tokens.keepFresh(welcome.time, (token) => this.#requests.ask({ op: 'token', token }))
    this.#keeper.up(welcome.user.id, this.#link.say)
    this.#events.emit('welcome', welcome)
    this.#requests.up(this.#link.say)
    const synced = this.#syncer.begin(resumed, frame)
    // What waits to be sent doesn't wait for what was missed.
    this.#outbox.up(this.#link.say, frame)
    this.#renewWatches()
    return synced
  }

  #renewWatches(): void {
    this.#watches.renew().then(
      (presence) => presence && this.#events.emit('presence', presence),
      (error: StarlingError) => {
        if (error.code !== 'disconnected' && error.code !== 'closed') this.#events.emit('error', error)
      },
    )
  }

  #take(frame: SessionFrame): void {
    // What is not taken in will come to the next run.
    if (this.#isClosing) return
    const events = this.#events
    switch (frame.op) {
      case 'message':
        this.#positions.take(frame)
        return
      case 'batch':
        for (const message of frame.frames) this.#positions.take(message, true)
        return
      case 'ack':
        this.#acked(frame)
        return
      case 'ok':
      case 'synced':
        this.#requests.settle(frame)
        return
      case 'pong':
        this.#positions.noteHead(frame.inbox)
        this.#requests.settle(frame)
        return
      case 'error':
        if (!this.#outbox.refused(frame) && !this.#requests.settle(frame)) {
          events.emit('error', new StarlingError(frame.code, frame.message, frame))
        }
        return
      case 'presence':
        events.emit('presence', frame)
        return
      case 'typing':
        events.emit('typing', frame)
        return
      case 'receipt':
        events.emit('receipt', frame)
        return
      case 'session':
        events.emit('session', frame.sessions)
        return
      case 'unread':
        events.emit('unread', frame)
        return
      case 'resync':
        // A lost line ends it, and the next session asks for everything.
        this.#syncer.catchUpWithin(frame.within, frame.convs).catch(() => {})
        return
    }
  }

  #acked(ack: ServerFrameOf<'ack'>): void {
    const sent = this.#outbox.acked(ack)
    const { conv, id, inbox, ref } = ack
    if (sent === undefined || sent.seen) {
      if (inbox !== undefined) this.#positions.takeInbox(inbox)
      return
    }
    const { body, reply, mentions } = sent
    this.#positions.takeOwn({
      op: 'message',
      conv,
      id,
      from: this.#welcome?.user.id as string,
      ref,
      body,
      ...(reply !== undefined && { reply }),
      ...(mentions !== undefined && { mentions: [...mentions] }),
      ...(inbox !== undefined && { inbox }),
    })
  }

  #down(): void {
    // The last line: the server has closed it for good.
    if (this.state === 'closed') this.#closing ??= this.#stop()
    this.#tokens.rest()
    this.#syncer.down()
    if (!this.#isClosing) this.#positions.lineLost()
    this.#outbox.down()
    this.#requests.down()
    this.#keeper.down()
    this.#typedAt.clear()
  }

  /** Saves how far this run has come. From now on nothing is shown, and nothing sent. @returns when it is saved */
  #stop(): Promise<void> {
    this.#isClosing = true
    this.#syncer.down()
    const kept = this.#keeper.end()
    this.#outbox.end()
    return kept
  }
}

/** Whoever doesn't wait for a reply doesn't want to die of its failing: every line is lost some day. */
function quietly<T>(reply: Promise<T>): Promise<T> {
  reply.catch(() => {})
  return reply
}
