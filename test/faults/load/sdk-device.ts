/** A client on the SDK, as an application would use it: it shows messages, and loads by HTTP what it is told to load. */
import { convOf, type Target } from '@starling/protocol/ids'
import { type Client, createClient, type Saved } from '../../../client/src/index.ts'
import type { Device, DeviceOptions } from './device.ts'
import { loadHistory } from './history-api.ts'
import { brief, seen } from './recorder.ts'
import { socketClass, type Tap, tapFor } from './tapped-socket.ts'

export class SdkDevice implements Device {
  readonly info
  readonly tap: Tap
  readonly faults: string[] = []
  /** How often it was told that something must be loaded. */
  reloads = 0
  pending = 0
  readonly #options: DeviceOptions
  /** Survives a restart of the application. */
  #saved: Saved | undefined
  #client: Client
  #loading: Promise<void> = Promise.resolve()

  constructor(options: DeviceOptions) {
    this.#options = options
    this.info = options.info
    this.tap = tapFor(options.recorder, options.info.id, options.info.user)
    this.#client = this.#create()
  }

  get live(): boolean {
    return this.#client.state === 'live'
  }

  get state(): string {
    return this.#client.state
  }

  connect(): void {
    this.#client.connect()
  }

  send(to: string, text: string, ref: string): void {
    const { recorder } = this.#options
    const { id, user } = this.info
    recorder.add({ is: 'submit', client: id, conv: convOf(user, to as Target), ref, text: brief(text) })
    this.pending++
    const settled = () => {
      this.pending--
    }
    this.#client.send({ to, body: { type: 'text', text }, ref }).then(settled, settled)
  }

  async sync(): Promise<void> {
    await this.#client.sync()
    await this.#loading
  }

  async watch(users: readonly string[]): Promise<void> {
    const { on, off } = await this.#client.watch(users)
    this.#options.recorder.add({ is: 'presence', client: this.info.id, on, off })
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  drop(): void {
    this.tap.socket?.terminate()
  }

  /** Ends the application, and starts it again with what it had stored once it has been away. */
  async restart(away: Promise<unknown>): Promise<void> {
    await this.#client.close()
    await away
    this.#client = this.#create()
    this.#client.connect()
  }

  #create(): Client {
    const { access, recorder } = this.#options
    const { id, user } = this.info
    const client = createClient({
      endpoints: access.urls,
      device: id.slice(id.indexOf('/') + 1),
      getToken: async () => access.token(user),
      WebSocket: socketClass(this.tap),
      storage: {
        load: () => this.#saved,
        save: (saved) => {
          this.#saved = structuredClone(saved)
        },
      },
    })
    client.on('message', (message) => {
      recorder.add({ is: 'message', client: id, line: 0, way: 'shown', message: seen(message) })
    })
    client.on('moved', (move) => recorder.add({ is: 'moved', client: id, ...move }))
    client.on('presence', ({ on, off }) => recorder.add({ is: 'presence', client: id, on, off }))
    client.on('reload', ({ convs }) => {
      this.#loading = Promise.all([this.#loading, this.#load(convs)]).then(() => {})
    })
    client.on('error', (error) => this.faults.push(String(error)))
    client.on('outbox', ({ status, ref, error }) => {
      if (status === 'failed') this.faults.push(`${ref} failed: ${error?.code}`)
    })
    return client
  }

  async #load(convs: string[] | 'all'): Promise<void> {
    const { access, recorder, readable } = this.#options
    const all = readable()
    if (all === undefined) return
    this.reloads++
    const { id, user } = this.info
    recorder.add({ is: 'reload', client: id, convs })
    for (const conv of convs === 'all' ? all.keys() : convs) {
      const messages = await loadHistory(access, user, conv, all.get(conv) ?? '0-0')
      for (const message of messages ?? []) {
        recorder.add({ is: 'message', client: id, line: 0, way: 'loaded', message: seen(message) })
      }
    }
  }
}
