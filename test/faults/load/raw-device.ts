/**
 * A client on raw frames that does what docs/protocol.md §7 asks of one, and no more: several sends under way on one
 * connection, positions by what is dense, sync on a jump, its refs again after a break.
 */
import { ERROR_CODES, type ErrorCode } from '@starling/protocol/errors'
import type { MessageFrame, ServerFrame, ServerFrameOf } from '@starling/protocol/frames'
import { comparePositions, seqOf } from '@starling/protocol/ids'
import type { Device, DeviceOptions } from './device.ts'
import { loadHistory } from './history-api.ts'
import { seen } from './recorder.ts'
import { type Tap, TappedSocket, tapFor } from './tapped-socket.ts'

const INBOX = 'inbox'
/** A jump is judged when what is in flight has come, ms. */
const JUMP_MS = 300
const BACKOFF_MS = [500, 1_000, 2_000, 4_000] as const

interface Waiting {
  ref: string
  to: string
  text: string
  /** It may have been stored. */
  retry: boolean
  /** The connection it was said on last; 0: it waits for the end of a refusal. */
  line: number
}

export class RawDevice implements Device {
  readonly info
  readonly tap: Tap
  readonly faults: string[] = []
  readonly #options: DeviceOptions
  readonly #waiting = new Map<string, Waiting>()
  /** The last of what is known without a hole: of the inbox, groups and channels. */
  readonly #positions = new Map<string, string>()
  /** Those that have jumped or gone back: what comes live moves them no further until a sync has. */
  readonly #holes = new Set<string>()
  readonly #syncs = new Map<string, PromiseWithResolvers<void>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Whether a sync is to follow anyway. */
  #syncDue = false
  /** The gateway to try next: not the one that has just sent us away. */
  #next = Math.floor(Math.random() * 1_000)
  #refs = 0
  #lost = 0
  #returnAt = 0
  #live = false
  #closed = false

  constructor(options: DeviceOptions) {
    this.#options = options
    this.info = options.info
    this.tap = tapFor(options.recorder, options.info.id, options.info.user)
  }

  get live(): boolean {
    return this.#live
  }

  get pending(): number {
    return this.#waiting.size
  }

  connect(): void {
    if (this.#closed) return
    const { access, info } = this.#options
    const url = access.urls[this.#next++ % access.urls.length]!
    const socket = new TappedSocket(this.tap, `${url.replace('http', 'ws')}/ws`, 'starling.v1')
    const later = setTimeout(() => socket.terminate(), 20_000)
    socket.on('open', () => {
      clearTimeout(later)
      const [token, device] = [access.token(info.user), info.id.slice(info.id.indexOf('/') + 1)]
      const inbox = this.#positions.get(INBOX)
      socket.send(JSON.stringify({ op: 'hello', ref: 'hello', token, device, inbox }))
    })
    socket.on('message', (data: Buffer) => this.#hear(JSON.parse(data.toString()) as ServerFrame))
    socket.on('close', () => {
      clearTimeout(later)
      this.#over()
    })
  }

  send(to: string, text: string, ref: string): void {
    const waiting = { ref, to, text, retry: false, line: 0 }
    this.#waiting.set(ref, waiting)
    if (this.#live) this.#say(waiting)
  }

  async sync(): Promise<void> {
    if (!this.#live) throw new Error('not connected')
    await this.#sync()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.tap.socket?.close()
  }

  drop(): void {
    this.tap.socket?.terminate()
  }

  #say(waiting: Waiting): void {
    const { ref, to, text, retry } = waiting
    waiting.line = this.tap.lines
    const frame = { op: 'send', ref, to, body: { type: 'text', text }, ...(retry && { retry }) }
    this.tap.socket?.send(JSON.stringify(frame))
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#closed) work()
    }, ms)
    this.#timers.add(timer)
  }

  #over(): void {
    this.#live = false
    for (const { reject } of this.#syncs.values()) reject(new Error('the line broke'))
    this.#syncs.clear()
    const announced = this.#returnAt - performance.now()
    const backOff = Math.random() * BACKOFF_MS[Math.min(this.#lost++, BACKOFF_MS.length - 1)]!
    this.#returnAt = 0
    this.#after(announced > 0 ? announced : backOff, () => this.connect())
  }

  #hear(frame: ServerFrame): void {
    switch (frame.op) {
      case 'welcome':
        return this.#welcomed(frame)
      case 'message':
        return this.#take(frame, 'live')
      case 'batch':
        for (const message of frame.frames) this.#take(message, 'synced')
        return
      case 'synced':
        return this.#synced(frame)
      case 'ack':
        this.#acked(frame)
        if (!frame.conv.startsWith('dm:')) this.#advance(frame.conv, frame.id)
        if (frame.inbox !== undefined) this.#advance(INBOX, frame.inbox)
        return
      case 'error':
        return this.#refused(frame)
      case 'goodbye':
        this.#returnAt = performance.now() + frame.retryIn
        return
      case 'resync':
        return this.#syncIn(Math.random() * frame.within)
      default:
    }
  }

  #welcomed({ resumed }: ServerFrameOf<'welcome'>): void {
    this.#lost = 0
    this.#live = true
    // In the old order, before anything new.
    for (const waiting of this.#waiting.values()) {
      waiting.retry = true
      this.#say(waiting)
    }
    if (!resumed) this.#load('all')
    this.#syncQuietly()
  }

  #syncQuietly(): void {
    this.#sync().catch(() => {})
  }

  #sync(): Promise<void> {
    const ref = `sync-${++this.#refs}`
    const done = Promise.withResolvers<void>()
    this.#syncs.set(ref, done)
    const convs = [...this.#positions].filter(([conv]) => conv !== INBOX)
    const inbox = this.#positions.get(INBOX)
    this.tap.socket?.send(
      JSON.stringify({
        op: 'sync',
        ref,
        inbox,
        ...(inbox !== undefined && { convs: Object.fromEntries(convs) }),
      }),
    )
    return done.promise
  }

  #synced({ ref = '', inbox, gap, convs }: ServerFrameOf<'synced'>): void {
    this.#holes.clear()
    this.#raise(INBOX, inbox)
    for (const { conv, head } of convs) if (!conv.startsWith('dm:')) this.#raise(conv, head)
    const gaps = convs.flatMap((entry) => (entry.gap ? entry.conv : []))
    if (gap) this.#load('all')
    else if (gaps.length > 0) this.#load(gaps)
    this.#syncs.get(ref)?.resolve()
    this.#syncs.delete(ref)
  }

  /** Nobody tells us our own messages, where we are all there is of our user: the ack does. */
  #acked({ ref, conv, id }: ServerFrameOf<'ack'>): void {
    const { recorder, info } = this.#options
    const waiting = this.#waiting.get(ref)
    if (!waiting) return
    this.#waiting.delete(ref)
    const body = { type: 'text' as const, text: waiting.text }
    const message = seen({ conv, id, from: info.user, ref, body })
    recorder.add({ is: 'message', client: info.id, line: this.tap.lines, way: 'synced', message })
  }

  #take(message: MessageFrame, way: 'live' | 'synced'): void {
    const { recorder, info } = this.#options
    recorder.add({ is: 'message', client: info.id, line: this.tap.lines, way, message: seen(message) })
    if (message.inbox !== undefined) this.#advance(INBOX, message.inbox)
    if (!message.conv.startsWith('dm:')) this.#advance(message.conv, message.id)
  }

  /** Moves a position by one; a jump, or a log that has gone back, is asked for when what is in flight has come. */
  #advance(line: string, id: string): void {
    const at = this.#positions.get(line)
    if (at === undefined || comparePositions(id, at) <= 0 || this.#holes.has(line)) return
    if (seqOf(id) === seqOf(at) + 1) this.#positions.set(line, id)
    else {
      this.#holes.add(line)
      this.#syncIn(JUMP_MS)
    }
  }

  /** One sync is enough for all that is missed until then. */
  #syncIn(ms: number): void {
    if (this.#syncDue) return
    this.#syncDue = true
    this.#after(ms, () => {
      this.#syncDue = false
      if (this.#live) this.#syncQuietly()
    })
  }

  #raise(line: string, head: string): void {
    const at = this.#positions.get(line)
    if (at === undefined || comparePositions(head, at) > 0) this.#positions.set(line, head)
  }

  #refused({ ref = '', code, retryIn }: ServerFrameOf<'error'>): void {
    const { retry } = ERROR_CODES[code as ErrorCode]
    if (this.#syncs.has(ref)) {
      this.#syncs.get(ref)?.reject(new Error(code))
      this.#syncs.delete(ref)
      this.#syncIn(retryIn ?? 1_000)
      return
    }
    const waiting = this.#waiting.get(ref)
    if (!waiting) return
    if (!retry) {
      this.#waiting.delete(ref)
      this.faults.push(`${ref} failed: ${code}`)
      return
    }
    if (code === 'unavailable') waiting.retry = true
    waiting.line = 0
    this.#after(retryIn ?? 1_000, () => {
      if (this.#live && waiting.line === 0 && this.#waiting.has(ref)) this.#say(waiting)
    })
  }

  #load(convs: readonly string[] | 'all'): void {
    const { access, recorder, readable, info } = this.#options
    const all = readable()
    if (all === undefined) return
    recorder.add({ is: 'reload', client: info.id, convs })
    const load = async () => {
      for (const conv of convs === 'all' ? all.keys() : convs) {
        const messages = await loadHistory(access, info.user, conv, all.get(conv) ?? '0-0')
        for (const message of messages ?? []) {
          recorder.add({ is: 'message', client: info.id, line: 0, way: 'loaded', message: seen(message) })
        }
      }
    }
    load().catch((fault: unknown) => this.faults.push(String(fault)))
  }
}
