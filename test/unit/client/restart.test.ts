/** An application that starts again goes on where the run before it ended. */
import { describe, expect, it } from 'vitest'
import type { Saved } from '../../../client/src/index.ts'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { ids, jwt, keeping, listed, message, setup } from './support/setup.ts'

const DM = 'dm:alice:bob'

describe('what an earlier run has kept', () => {
  const saved: Saved = {
    user: 'alice',
    inbox: '10-3',
    convs: [
      ['group:eng', '10-4'],
      ['dm:alice:bob', '1-1'],
      ['nonsense', '1-1'],
      null as never,
      ['group:ops', 'nonsense'],
    ],
    dms: [
      ['group:eng', '1-1', []],
      ['dm:alice:bob', 'nonsense', []],
      null,
      ['dm:alice:bob', '1-1', [1]],
    ] as never,
    outbox: [{ ref: 'r1', to: 'user:bob', body: { type: 'text', text: 'hi' } }],
  }

  it('is where the next run goes on', async () => {
    const { client, gateway } = setup({ storage: { load: async () => saved, save: () => {} } })
    client.connect()
    const { line, hello } = await gateway.greets()
    expect(hello.inbox).toBe('10-3')
    line.say(welcomeOf())
    expect(await line.hears('sync')).toMatchObject({ inbox: '10-3', convs: { 'group:eng': '10-4' } })
    expect(await line.hears('send')).toMatchObject({ ref: 'r1', retry: true })
  })

  it('[P2] has what a sync has settled, though no message came with it', async () => {
    const saves: Saved[] = []
    const { client, gateway, clock } = setup({
      storage: { load: () => undefined, save: (now) => void saves.push(structuredClone(now)) },
    })
    client.connect()
    const { line } = await gateway.greets()
    line.say(welcomeOf())
    const { ref } = await line.hears('sync')
    await clock.turn(1_000)
    expect(saves.at(-1)?.convs).toEqual([])
    line.say({ op: 'synced', ref, inbox: '0-0', convs: [listed('group:eng', '8-5')] })
    await clock.turn(1_000)
    expect(saves.at(-1)?.convs).toEqual([['group:eng', '8-5']])
  })

  it('[P2] knows the dms that were shown, and what was missing before them', async () => {
    const storage = keeping()
    const first = setup({ storage })
    first.client.connect()
    const line = await first.gateway.joins({ inbox: '10-3' })
    line.say(message(DM, '12-2', { inbox: '12-4' }), message(DM, '13-3', { inbox: '13-5' }))
    await first.clock.turn(1_000)
    await first.client.close()
    const second = setup({ storage })
    const messages = second.record('message')
    second.client.connect()
    const next = await second.gateway.joins({ inbox: '13-5' })
    // Its sender had to try again: what was shown by the first run is not shown again.
    next.say(message(DM, '13-3', { inbox: '14-6' }), message(DM, '11-1', { inbox: '15-7' }))
    next.say(message(DM, '16-4', { inbox: '16-8' }))
    expect(ids(messages)).toEqual(['11-1', '16-4'])
  })

  it('[P2] knows what was shown while a dm was held, which alone comes again', async () => {
    const storage = keeping()
    const first = setup({ storage })
    const shown = first.record('message')
    first.client.connect()
    const line = await first.gateway.joins({ inbox: '10-3', convs: [listed('group:eng', '10-4')] })
    await first.clock.turn(1_000)
    line.say(message(DM, '11-1', { inbox: '11-4' }), message('group:eng', '11-5'))
    // Not told yet, and then held, since the one before it has not come.
    line.say(message(DM, '13-3', { inbox: '13-5' }), message('group:eng', '13-6'))
    const closed = first.client.close()
    line.say(message('group:eng', '14-7'))
    await closed
    expect(ids(shown)).toEqual(['11-1', '11-5', '13-6'])
    expect(line.received).toEqual(['10-3'])

    const second = setup({ storage })
    const messages = second.record('message')
    second.client.connect()
    const { line: next, hello } = await second.gateway.greets()
    expect(hello.inbox).toBe('10-3')
    next.say(welcomeOf())
    const { ref, inbox, convs } = await next.hears('sync')
    expect([inbox, convs]).toEqual(['10-3', { 'group:eng': '13-6' }])
    const missed = [
      message(DM, '11-1', { inbox: '11-4' }),
      message(DM, '13-3', { inbox: '13-5' }),
      message('group:eng', '14-7'),
    ]
    next.say({ op: 'batch', ref, frames: missed })
    next.say({ op: 'synced', ref, inbox: '13-5', convs: [listed('group:eng', '14-7')] })
    await settled()
    expect(ids(messages).toSorted()).toEqual(['13-3', '14-7'])
  })

  it('[P1] has what was sent before the first session began, behind what an earlier run has left', async () => {
    const storage = keeping()
    storage.save({ ...saved, outbox: [{ ref: 'r1', to: 'user:bob', body: { type: 'text', text: 'left' } }] })
    const getToken = async () => jwt(9_000)
    const offline = setup({ storage, getToken })
    offline.client.connect()
    void offline.client.send({ ref: 'r2', to: 'user:bob', body: { type: 'text', text: 'offline' } })
    await offline.clock.turn(1_000)
    const next = setup({ storage, getToken })
    next.client.connect()
    const line = await next.gateway.joins({ inbox: '10-3' })
    for (const ref of ['r1', 'r2']) {
      expect(await line.hears('send')).toMatchObject({ ref, retry: true })
      line.say({ op: 'ack', ref, conv: DM, id: ref === 'r1' ? '20-2' : '21-3' })
    }
  })

  it('has nothing of another user that was sent before the first session began', async () => {
    const storage = keeping()
    storage.save({ ...saved, user: 'mallory' })
    const offline = setup({ storage, getToken: async () => jwt(9_000) })
    offline.client.connect()
    void offline.client.send({ ref: 'r2', to: 'user:bob', body: { type: 'text', text: 'mine' } })
    await offline.clock.turn(1_000)
    expect(storage.load()).toEqual({ ...saved, user: 'mallory' })
  })

  it('is what was saved last, however slow the storage', async () => {
    const saves: { saved: Saved; done: () => void }[] = []
    const { client, gateway, clock } = setup({
      storage: {
        load: () => undefined,
        save: (saved) => new Promise((done) => saves.push({ saved: structuredClone(saved), done })),
      },
    })
    client.connect()
    const line = await gateway.joins({ inbox: '10-3' })
    await clock.turn(1_000)
    line.say(message(DM, '11-1', { inbox: '11-4' }))
    await clock.turn(1_000)
    line.say(message(DM, '12-2', { inbox: '12-5' }))
    await clock.turn(5_000)
    // The first has not ended: nothing is saved beside it, nor is the server told.
    expect([saves.length, line.received]).toEqual([1, []])
    const closed = client.close()
    saves[0]!.done()
    await settled()
    expect(saves.map(({ saved }) => saved.inbox)).toEqual(['10-3', '12-5'])
    saves[1]!.done()
    await closed
  })

  it('is saved again behind a save that hangs, which keeps no client from closing', async () => {
    const saves: Saved[] = []
    const { client, gateway, clock } = setup({
      storage: {
        load: () => undefined,
        save: (saved) => {
          saves.push(structuredClone(saved))
          return new Promise(() => {})
        },
      },
    })
    client.connect()
    const line = await gateway.joins({ inbox: '10-3' })
    await clock.turn(1_000)
    line.say(message(DM, '11-1', { inbox: '11-4' }))
    await clock.turn(11_000)
    expect(saves.map(({ inbox }) => inbox)).toEqual(['10-3', '11-4'])
    void client.close()
    await clock.turn(10_000)
    expect([saves.length, client.state]).toEqual([3, 'closed'])
  })

  it('[P1] has an own message that was acked and not shown yet: no inbox has it', async () => {
    const storage = keeping()
    const first = setup({ storage })
    first.client.connect()
    const line = await first.gateway.joins({ inbox: '10-3' })
    const sent = first.client.send({ to: 'user:bob', ref: 'r1', body: { type: 'text', text: 'hi' } })
    await line.hears('send')
    void first.client.sync()
    await line.hears('sync')
    line.say({ op: 'ack', ref: 'r1', conv: DM, id: '11-1' })
    await sent
    await first.client.close()

    const second = setup({ storage })
    const messages = second.record('message')
    second.client.connect()
    const next = await second.gateway.joins({ inbox: '10-3' })
    expect(await next.hears('send')).toMatchObject({ ref: 'r1', retry: true })
    next.say({ op: 'ack', ref: 'r1', conv: DM, id: '11-1', dup: true })
    expect(ids(messages)).toEqual(['11-1'])
    await second.client.close()
    const third = setup({ storage })
    third.client.connect()
    expect((await third.gateway.joins({ inbox: '10-3' })).received).toEqual([])
    expect(third.client.outbox).toEqual([])
  })

  it('[P2] knows an own message that was shown before its ack', async () => {
    const storage = keeping()
    const first = setup({ storage })
    const shown = first.record('message')
    first.client.connect()
    const line = await first.gateway.joins({ inbox: '10-3' })
    void first.client.send({ to: 'user:bob', ref: 'r1', body: { type: 'text', text: 'hi' } })
    await line.hears('send')
    line.say(message(DM, '11-1', { inbox: '11-4', from: 'alice', ref: 'r1' }))
    await first.client.close()
    expect(ids(shown)).toEqual(['11-1'])

    const second = setup({ storage })
    const messages = second.record('message')
    second.client.connect()
    const next = await second.gateway.joins({ inbox: '11-4' })
    expect(await next.hears('send')).toMatchObject({ ref: 'r1', retry: true })
    next.say({ op: 'ack', ref: 'r1', conv: DM, id: '11-1', inbox: '11-4', dup: true })
    expect(messages).toEqual([])
  })

  it('is not for another user', async () => {
    const { client, gateway, record } = setup({
      storage: { load: () => ({ ...saved, user: 'mallory' }), save: () => {} },
    })
    const reloads = record('reload')
    client.connect()
    const { line } = await gateway.greets()
    line.say(welcomeOf())
    const sync = await line.hears('sync')
    expect(sync).toEqual({ op: 'sync', ref: sync.ref })
    await line.hearsNothing()
    line.say({ op: 'synced', ref: sync.ref, inbox: '0-0', convs: [] })
    await settled()
    expect(reloads).toEqual([{ convs: 'all' }])
  })

  it('may be broken', async () => {
    const storage = {
      load(): Saved {
        throw new Error('no access')
      },
      save: () => Promise.reject(new Error('full')),
    }
    const { client, gateway, clock, record } = setup({ storage })
    const errors = record('error')
    client.connect()
    const line = await gateway.joins({ inbox: '10-3' })
    await clock.turn(1_000)
    expect(errors).toMatchObject([{ message: 'no access' }, { message: 'full' }])
    // What is not safe here must stay safe there.
    await line.hearsNothing()
  })
})
