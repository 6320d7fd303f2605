/** What a gateway takes on while its store stands still, and what it refuses. */
import type { MessageId, Ref, Target, UserId } from '@starling/protocol/ids'
import { expect, it } from 'vitest'
import { Messaging } from '../../../src/services/messaging.ts'
import type { ConvPort, DmPort, DmSent, InboxPort } from '../../../src/services/ports.ts'

const MIB = 1024 ** 2
const BODY = { type: 'text', text: 'x'.repeat(15_000) } as const

/** Stores nothing until it is told to. */
function slowStore() {
  const waiting: PromiseWithResolvers<DmSent>[] = []
  const later = () => {
    waiting.push(Promise.withResolvers<DmSent>())
    return waiting.at(-1)!.promise
  }
  const messaging = new Messaging({
    dms: { send: later } as unknown as DmPort,
    convs: { append: later } as unknown as ConvPort,
    inboxes: {} as InboxPort,
    channels: new Map(),
    maxBodyBytes: 16_384,
  })
  let count = 0
  const send = (to: 'user:bob' | 'group:g') =>
    messaging.send({
      from: 'alice' as UserId,
      to: to as string as Target,
      body: BODY,
      ref: `${++count}` as Ref,
    })
  return { waiting, send }
}

/** Sends until it is refused. @returns what was taken, and the refusal */
async function fill({ send }: ReturnType<typeof slowStore>, to: 'user:bob' | 'group:g') {
  const taken: Promise<unknown>[] = []
  for (;;) {
    try {
      const sent = send(to)
      // A refusal is at hand at once; what is taken stays open.
      const first = await Promise.race([sent.then(() => 'sent'), Promise.resolve('open')])
      expect(first).toBe('open')
      await Promise.race([sent, new Promise((resolve) => setImmediate(resolve))])
      taken.push(sent.catch((fault: unknown) => fault))
    } catch (refusal) {
      return { taken, refusal }
    }
  }
}

it.each(['user:bob', 'group:g'] as const)(
  'a store that stands still fills a gateway up to a bound, then sends to %s are refused',
  async (to) => {
    const store = slowStore()
    const { taken, refusal } = await fill(store, to)
    expect(refusal).toMatchObject({ code: 'overloaded', retryIn: 1_000 })
    expect(taken.length * BODY.text.length).toBeGreaterThan(64 * MIB)
    expect(taken.length * BODY.text.length).toBeLessThan(128 * MIB)

    const ok: DmSent = { is: 'ok', id: '1-1' as MessageId, inbox: undefined }
    store.waiting[0]!.resolve(ok)
    store.waiting[1]!.reject(new Error('gone'))
    expect(await taken[0]).toMatchObject({ id: '1-1' })
    expect(await taken[1]).toMatchObject({ message: 'gone' })
    const more = await fill(store, to)
    expect(more.taken).toHaveLength(2)
    expect(more.refusal).toMatchObject({ code: 'overloaded' })
  },
)
