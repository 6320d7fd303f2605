import { describe, expect, it } from 'vitest'
import type { ClientEvents, Draft } from '../../../client/src/index.ts'
import { Outbox } from '../../../client/src/outbox.ts'
import { createRefs } from '../../../client/src/refs.ts'
import { ManualClock } from './support/manual-clock.ts'

const text = (to: string, ref: string): Draft => ({ to, ref, body: { type: 'text', text: ref } })

function make() {
  const clock = new ManualClock()
  const changes: ClientEvents['outbox'][] = []
  const outbox = new Outbox({
    clock,
    random: () => 0.5,
    refs: createRefs(),
    changed: (event) => changes.push(event),
  })
  const said: { ref: string; to: string; retry?: boolean }[] = []
  const up = (limit = 65_536) => outbox.up((frame) => said.push(JSON.parse(frame)), limit)
  /** What was said since the last look; `*` where it may have been said before. */
  const news = () => said.splice(0).map(({ ref, retry }) => (retry ? `${ref}*` : ref))
  const ack = (ref: string, id = '5-1') => outbox.acked({ op: 'ack', ref, conv: 'dm:alice:bob', id })
  const refuse = (ref: string, code: 'rate_limited' | 'unavailable' | 'blocked', retryIn?: number) =>
    outbox.refused({ op: 'error', ref, code, message: code, ...(retryIn !== undefined && { retryIn }) })
  return { clock, outbox, changes, up, news, ack, refuse }
}

describe('the outbox', () => {
  it('[P2] sends what has waited for long as one that another run may have found in the storage', async () => {
    const { clock, outbox, up, news } = make()
    void outbox.send(text('user:bob', 'b1'))
    await clock.turn(5 * 60_000 + 1)
    void outbox.send(text('group:eng', 'g1'))
    up()
    expect(news()).toEqual(['b1*', 'g1'])
  })

  it('keeps what is sent until there is a session, then sends it in order', async () => {
    const { outbox, up, news, ack } = make()
    const first = outbox.send(text('user:bob', 'b1'))
    void outbox.send(text('user:bob', 'b2'))
    void outbox.send(text('group:eng', 'g1'))
    expect(news()).toEqual([])
    up()
    expect(news()).toEqual(['b1', 'g1'])
    ack('b1', '7-3')
    expect(await first).toEqual({ ref: 'b1', conv: 'dm:alice:bob', id: '7-3' })
    expect(news()).toEqual(['b2'])
    expect(outbox.list().map(({ ref, status }) => [ref, status])).toEqual([
      ['b2', 'sent'],
      ['g1', 'sent'],
    ])
  })

  it('sends what was not acked again after reconnecting: same refs, old order, marked', () => {
    const { outbox, up, news, ack } = make()
    up()
    for (const ref of ['b1', 'b2', 'b3']) void outbox.send(text('user:bob', ref))
    expect(news()).toEqual(['b1'])
    outbox.down()
    void outbox.send(text('user:bob', 'b4'))
    up()
    expect(news()).toEqual(['b1*'])
    for (const ref of ['b1', 'b2', 'b3']) ack(ref)
    expect(news()).toEqual(['b2', 'b3', 'b4'])
  })

  it('[P2] marks what the application sends again itself, and leaves it where it was', () => {
    const { outbox, up, news, ack } = make()
    void outbox.send(text('user:bob', 'b3'))
    void outbox.send(text('user:bob', 'b1'))
    const saved = ['b1', 'b2'].map((ref) => text('user:bob', ref))
    outbox.restore(saved.map((draft) => ({ ...draft, ref: draft.ref as string })))
    up()
    for (const ref of ['b1', 'b2']) ack(ref)
    expect(news()).toEqual(['b1*', 'b2*', 'b3'])
  })

  it('lets nothing overtake a message that was refused for a while, in its conversation only', async () => {
    const { clock, outbox, up, news, ack, refuse } = make()
    up()
    void outbox.send(text('user:bob', 'b1'))
    void outbox.send(text('user:bob', 'b2'))
    news()
    refuse('b1', 'rate_limited', 700)
    void outbox.send(text('user:bob', 'b3'))
    void outbox.send(text('user:carol', 'c1'))
    expect(news()).toEqual(['c1'])
    await clock.turn(699)
    expect(news()).toEqual([])
    await clock.turn(1)
    expect(news()).toEqual(['b1'])
    ack('b1')
    expect(news()).toEqual(['b2'])
  })

  it('obeys a retryIn over a reconnect, too', async () => {
    const { clock, outbox, up, news, refuse } = make()
    up()
    void outbox.send(text('user:bob', 'b1'))
    refuse('b1', 'rate_limited', 700)
    outbox.down()
    news()
    up()
    expect(news()).toEqual([])
    await clock.turn(700)
    expect(news()).toEqual(['b1'])
  })

  it('marks what may have been stored when it is tried again, and backs off where no time is named', async () => {
    const { clock, outbox, up, news, refuse } = make()
    up()
    void outbox.send(text('user:bob', 'b1'))
    refuse('b1', 'unavailable')
    news()
    await clock.turn(250)
    expect(news()).toEqual(['b1*'])
    refuse('b1', 'unavailable')
    await clock.turn(499)
    expect(news()).toEqual([])
    await clock.turn(1)
    expect(news()).toEqual(['b1*'])
  })

  it('gives up what was refused for good, and goes on with the next', async () => {
    const { outbox, changes, up, news, refuse } = make()
    up()
    const first = outbox.send(text('user:bob', 'b1'))
    void outbox.send(text('user:bob', 'b2'))
    refuse('b1', 'blocked')
    await expect(first).rejects.toMatchObject({ name: 'StarlingError', code: 'blocked' })
    expect(news()).toEqual(['b1', 'b2'])
    expect(changes.map(({ ref, status }) => `${ref} ${status}`)).toEqual([
      'b1 queued',
      'b1 sent',
      'b2 queued',
      'b1 failed',
      'b2 sent',
    ])
  })

  it('never sends a frame that would cost the connection', async () => {
    const { outbox, up, news } = make()
    const large = { to: 'user:bob', ref: 'b1', body: { type: 'text', text: 'é'.repeat(400) } } as const
    up(800)
    await expect(outbox.send(large)).rejects.toMatchObject({ code: 'too_large', field: 'body' })
    void outbox.send(text('user:bob', 'b2'))
    expect(news()).toEqual(['b2'])
  })

  it('refuses what no gateway could answer to', async () => {
    const { outbox } = make()
    const send = (draft: object) =>
      outbox.send({ to: 'user:bob', body: { type: 'custom' }, ...draft } as Draft)
    await expect(send({ ref: 'é' })).rejects.toMatchObject({ code: 'bad_request', field: 'ref' })
    await expect(send({ ref: '' })).rejects.toMatchObject({ code: 'bad_request', field: 'ref' })
    const circle: { type: 'custom'; self?: unknown } = { type: 'custom' }
    circle.self = circle
    await expect(send({ body: circle })).rejects.toMatchObject({ code: 'bad_request', field: 'body' })
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)])
    await expect(send({ body: { type: 'custom', deep: nest(31) } })).rejects.toMatchObject({ field: 'body' })
    expect(outbox.list()).toEqual([])
    void send({ body: { type: 'custom', deep: nest(30) } })
    expect(outbox.list()).toHaveLength(1)
  })

  it('takes the same ref to the same target for the same message', async () => {
    const { outbox, up, news, ack } = make()
    up()
    const both = Promise.all([outbox.send(text('user:bob', 'x')), outbox.send(text('user:bob', 'x'))])
    await expect(outbox.send(text('user:carol', 'x'))).rejects.toMatchObject({
      code: 'conflict',
      field: 'ref',
    })
    ack('x')
    expect((await both).map(({ id }) => id)).toEqual(['5-1', '5-1'])
    expect(news()).toEqual(['x'])
  })

  it('puts what an earlier run has left before the new, marked, and skips what makes no sense', () => {
    const { outbox, up, news, ack } = make()
    void outbox.send(text('user:bob', 'new'))
    const bad = { ref: 'not\nprintable', to: 'user:bob', body: { type: 'text', text: '' } } as const
    outbox.restore([text('user:bob', 'old') as Draft & { ref: string }, bad])
    up()
    expect(outbox.list().map(({ ref }) => ref)).toEqual(['old', 'new'])
    ack('old')
    expect(news()).toEqual(['old*', 'new'])
  })

  it('rejects what is left at the end, and everything after it', async () => {
    const { clock, outbox, up, refuse } = make()
    up()
    const left = outbox.send(text('user:bob', 'b1'))
    refuse('b1', 'rate_limited', 700)
    outbox.end()
    await expect(left).rejects.toMatchObject({ code: 'closed' })
    await expect(outbox.send(text('user:bob', 'b2'))).rejects.toMatchObject({ code: 'closed' })
    expect(clock.pending).toEqual([])
  })

  it('gives every message a ref that no other has', () => {
    const { outbox } = make()
    for (let i = 0; i < 3; i++) void outbox.send({ to: 'user:bob', body: { type: 'text', text: 'hi' } })
    expect(new Set(outbox.list().map(({ ref }) => ref)).size).toBe(3)
    expect(createRefs()()).not.toBe(createRefs()())
  })
})
