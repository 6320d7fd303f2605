/** Dms: in the order of the inbox, which says what is missing. */
import { describe, expect, it } from 'vitest'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { ids, listed, message, setup } from './support/setup.ts'

const DM = 'dm:alice:bob'

describe('dms', () => {
  const joined = async () => {
    const all = setup()
    const messages = all.record('message')
    const reloads = all.record('reload')
    all.client.connect()
    const line = await all.gateway.joins({ inbox: '10-3' })
    return { ...all, messages, reloads, line }
  }

  it('are asked for by the inbox when one of its places stays missing', async () => {
    const { line, messages, clock } = await joined()
    line.say(message(DM, '11-1', { inbox: '11-4' }), message(DM, '13-3', { inbox: '13-6' }))
    expect(ids(messages)).toEqual(['11-1'])
    await clock.turn(300)
    const sync = await line.hears('sync')
    expect(sync).toEqual({ op: 'sync', ref: sync.ref, inbox: '11-4' })
    line.say({
      op: 'batch',
      ref: sync.ref,
      frames: [message(DM, '12-2', { inbox: '12-5' }), message(DM, '13-3', { inbox: '13-6' })],
    })
    line.say({ op: 'synced', ref: sync.ref, inbox: '13-6', convs: [listed(DM, '13-3')] })
    await settled()
    expect(ids(messages)).toEqual(['11-1', '12-2', '13-3'])
    await clock.turn(1_000)
    expect(line.received.at(-1)).toBe('13-6')
    await line.hearsNothing()
  })

  it('count the place of what is dropped', async () => {
    const { line, messages, clock } = await joined()
    line.say(message(DM, '11-1', { inbox: '11-4' }), message(DM, '11-1', { inbox: '12-5' }))
    line.say(message(DM, '13-2', { inbox: '13-6' }))
    await clock.turn(300)
    expect(ids(messages)).toEqual(['11-1', '13-2'])
    expect(line.received.at(-1)).toBe('13-6')
    await line.hearsNothing()
  })

  it('are not held for long by a message that is not in the inbox, nor asked for', async () => {
    const { line, messages, clock } = await joined()
    line.say(message(DM, '11-1', { inbox: '11-4' }), message(DM, '13-3', { inbox: '13-5' }))
    await clock.turn(299)
    expect(ids(messages)).toEqual(['11-1'])
    await clock.turn(1)
    expect(ids(messages)).toEqual(['11-1', '13-3'])
    // It was delivered late: out of order, but not lost.
    line.say(message(DM, '12-2', { inbox: '14-6' }), message(DM, '12-2', { inbox: '14-6' }))
    expect(ids(messages)).toEqual(['11-1', '13-3', '12-2'])
  })

  it('[P3] wait for what was missed before them, also where nothing is known of their conversation', async () => {
    const { line, messages, gateway, clock } = await joined()
    line.end(1006)
    await clock.turn(1_000)
    const { line: second } = await gateway.greets()
    second.say(welcomeOf({ inbox: '12-5' }))
    const { ref } = await second.hears('sync')
    second.say(message(DM, '13-3', { inbox: '13-6' }))
    await clock.turn(1_000)
    expect(ids(messages)).toEqual([])
    // Not even a line that breaks puts it before them.
    second.end(1006)
    await clock.turn(1_000)
    const { line: third } = await gateway.greets()
    third.say(welcomeOf({ inbox: '13-6' }))
    const again = await third.hears('sync')
    expect([ref, again['inbox']]).toEqual([expect.any(String), '10-3'])
    const missed = [message(DM, '11-1', { inbox: '11-4' }), message(DM, '12-2', { inbox: '12-5' })]
    third.say({ op: 'batch', ref: again['ref'], frames: [...missed, message(DM, '13-3', { inbox: '13-6' })] })
    third.say({ op: 'synced', ref: again['ref'], inbox: '13-6', convs: [listed(DM, '13-3')] })
    await settled()
    expect(ids(messages)).toEqual(['11-1', '12-2', '13-3'])
  })

  it('[P3] are held while a hole in the inbox is younger than the sync that ends', async () => {
    const { line, messages, client } = await joined()
    line.say(message(DM, '11-1', { inbox: '11-4' }))
    void client.sync()
    const { ref } = await line.hears('sync')
    line.say(message(DM, '13-3', { inbox: '13-6' }))
    line.say({ op: 'synced', ref, inbox: '11-4', convs: [listed(DM, '11-1')] })
    await settled()
    expect(ids(messages)).toEqual(['11-1'])
    line.say(message(DM, '12-2', { inbox: '12-5' }))
    expect(ids(messages)).toEqual(['11-1', '12-2', '13-3'])
  })

  it('[P4] are shown once the inbox is whole, though it was not when they were judged', async () => {
    const { client, line, messages, clock } = await joined()
    const CAROL = 'dm:alice:carol'
    line.say(message(CAROL, '11-1', { inbox: '11-4' }))
    void client.send({ to: 'user:carol', ref: 'r1', body: { type: 'text', text: 'hi' } })
    await line.hears('send')
    line.say({ op: 'ack', ref: 'r1', conv: CAROL, id: '14-2', inbox: '14-7' })
    await clock.turn(200)
    line.say(message(DM, '12-1', { inbox: '12-5' }))
    await clock.turn(200)
    line.say(message(DM, '13-2', { inbox: '13-6' }))
    await clock.turn(300)
    expect(ids(messages)).toEqual(['11-1', '12-1', '13-2', '14-2'])
    await line.hearsNothing()
  })

  it('[P4] behind a hole that is younger than the sync of a new session are shown when it is filled', async () => {
    const { line, messages, gateway, clock } = await joined()
    line.end(1006)
    await clock.turn(1_000)
    const { line: next } = await gateway.greets()
    next.say(welcomeOf({ inbox: '10-3' }))
    const { ref } = await next.hears('sync')
    next.say(message('dm:alice:carol', '12-1', { inbox: '12-5' }))
    await clock.turn(300)
    next.say({ op: 'synced', ref, inbox: '10-3', convs: [] })
    await clock.turn(100)
    next.say(message(DM, '11-1', { inbox: '11-4' }))
    await clock.turn(300)
    expect(ids(messages)).toEqual(['11-1', '12-1'])
  })

  it('are not waited for any more once the client is closed', async () => {
    const { client, line, clock } = await joined()
    void client.sync()
    const { ref } = await line.hears('sync')
    line.say(message(DM, '13-3', { inbox: '13-6' }))
    // Whoever waits for this sync goes on when the line is gone.
    line.say({ op: 'synced', ref, inbox: '11-4', convs: [] })
    line.end(4003)
    await client.close()
    await settled()
    expect(clock.pending).toEqual([])
  })

  it('are not called received while they are held', async () => {
    const { line, clock } = await joined()
    await clock.turn(1_000)
    line.say(message(DM, '11-1', { inbox: '11-4' }), message(DM, '13-3', { inbox: '13-5' }))
    await clock.turn(299)
    expect(line.received).toEqual(['10-3'])
    await clock.turn(1_000)
    expect(line.received).toEqual(['10-3', '13-5'])
  })

  it('that a pong shows to be missing are asked for', async () => {
    const { line, clock } = await joined()
    line.say({ op: 'pong', time: 0, inbox: '10-3' })
    await clock.turn(300)
    await line.hearsNothing()
    line.say({ op: 'pong', time: 0, inbox: '11-4' })
    await clock.turn(300)
    expect(await line.hears('sync')).toMatchObject({ inbox: '10-3' })
  })

  it('of an inbox that goes back are asked for, and a gap asks for history', async () => {
    const { line, messages, reloads } = await joined()
    line.say(message(DM, '90-9', { inbox: '90-2' }))
    const { ref, inbox } = await line.hears('sync')
    expect(inbox).toBe('10-3')
    line.say({ op: 'synced', ref, inbox: '90-2', gap: true, convs: [] })
    line.say(message(DM, '91-10', { inbox: '91-3' }))
    await settled()
    expect(ids(messages)).toEqual(['90-9', '91-10'])
    expect(reloads).toEqual([{ convs: 'all' }])
    await line.hearsNothing()
  })

  it('are called received at most once a second', async () => {
    const { line, clock } = await joined()
    await clock.turn(1_000)
    for (let seq = 1; seq <= 10; seq++) {
      line.say(message(DM, `20-${seq}`, { inbox: `20-${seq + 3}` }))
      await clock.turn(150)
    }
    await clock.turn(1_000)
    expect(line.received).toEqual(['10-3', '20-4', '20-10', '20-13'])
  })
})
