/**
 * Messages: each once, in order, and what is missing is asked for.
 */
import { describe, expect, it } from 'vitest'
import type { MessageFrame, Saved } from '../../../client/src/index.ts'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { listed, message, setup } from './support/setup.ts'

const DM = 'dm:alice:bob'
const ids = (messages: MessageFrame[]) => messages.map(({ id }) => id)

describe('groups and channels', () => {
  const joined = async (options = {}) => {
    const all = setup(options)
    const messages = all.record('message')
    const reloads = all.record('reload')
    all.client.connect()
    const line = await all.gateway.joins({
      convs: [listed('group:eng', '10-4'), listed('channel:lobby', '9-1')],
    })
    return { ...all, messages, reloads, line }
  }

  it('come once each', async () => {
    const { line, messages } = await joined()
    line.say(message('group:eng', '11-5'), message('group:eng', '11-5'), message('group:eng', '12-6'))
    line.say(message('group:eng', '10-4'), message('group:new', '7-7'))
    expect(ids(messages)).toEqual(['11-5', '12-6', '7-7'])
  })

  it('are put in order within 300 ms, without asking', async () => {
    const { line, messages, clock } = await joined()
    line.say(message('group:eng', '13-7'), message('channel:lobby', '20-2'), message('group:eng', '12-6'))
    await clock.turn(299)
    expect(ids(messages)).toEqual(['20-2'])
    line.say(message('group:eng', '11-5'))
    expect(ids(messages)).toEqual(['20-2', '11-5', '12-6', '13-7'])
    await clock.turn(300)
    await line.hearsNothing()
  })

  it('are asked for when a jump stays for 300 ms', async () => {
    const { line, messages, clock, reloads } = await joined()
    line.say(message('group:eng', '13-7'))
    await clock.turn(300)
    const sync = await line.hears('sync')
    expect(sync).toEqual({ op: 'sync', ref: sync.ref, convs: { 'group:eng': '10-4' } })
    // What comes meanwhile waits for its turn, and the question is not asked twice.
    line.say(message('group:eng', '14-8'))
    await clock.turn(1_000)
    await line.hearsNothing()
    line.say({
      op: 'batch',
      ref: sync.ref,
      frames: ['11-5', '12-6', '13-7'].map((id) => message('group:eng', id)),
    })
    line.say({ op: 'synced', ref: sync.ref, inbox: '0-0', convs: [listed('group:eng', '14-8')] })
    await settled()
    expect(ids(messages)).toEqual(['11-5', '12-6', '13-7', '14-8'])
    expect(reloads).toEqual([])
  })

  it('come once where a sync skips a hole, and brings what is held behind it', async () => {
    const { line, messages, clock } = await joined()
    // Out of the group for 11-5: nobody will tell of it.
    const [added, next] = [message('group:eng', '12-6'), message('group:eng', '13-7')]
    line.say(added, next)
    await clock.turn(300)
    const { ref } = await line.hears('sync')
    line.say({ op: 'batch', ref, frames: [next] })
    line.say(message('group:eng', '14-8'))
    line.say({ op: 'synced', ref, inbox: '0-0', convs: [listed('group:eng', '13-7')] })
    await settled()
    expect(ids(messages)).toEqual(['12-6', '13-7', '14-8'])
  })

  it('go on after a gap that no sync can fill, and history is to be loaded', async () => {
    const { line, messages, clock, reloads } = await joined()
    line.say(message('group:eng', '50-40'))
    await clock.turn(300)
    const { ref } = await line.hears('sync')
    line.say({ op: 'batch', ref, frames: [message('group:eng', '49-39'), message('group:eng', '50-40')] })
    line.say({ op: 'synced', ref, inbox: '0-0', convs: [listed('group:eng', '50-40', { gap: true })] })
    await settled()
    expect(ids(messages)).toEqual(['49-39', '50-40'])
    expect(reloads).toEqual([{ convs: ['group:eng'] }])
    line.say(message('group:eng', '51-41'))
    await clock.turn(300)
    await line.hearsNothing()
    expect(ids(messages)).toHaveLength(3)
  })

  it('are asked for at once where the seq goes back at a later time', async () => {
    const { line, messages } = await joined()
    line.say(message('group:eng', '90-3'))
    const { ref, convs } = await line.hears('sync')
    expect(convs).toEqual({ 'group:eng': '10-4' })
    line.say({ op: 'batch', ref, frames: [message('group:eng', '80-2'), message('group:eng', '90-3')] })
    line.say({ op: 'synced', ref, inbox: '0-0', convs: [listed('group:eng', '90-3', { gap: true })] })
    line.say(message('group:eng', '91-4'))
    await settled()
    expect(ids(messages)).toEqual(['80-2', '90-3', '91-4'])
  })

  it('are asked for until there is an answer', async () => {
    const { line, clock, messages, record } = await joined()
    const errors = record('error')
    line.say(message('group:eng', '13-6'))
    await clock.turn(300)
    const { ref } = await line.hears('sync')
    line.say({ op: 'error', ref, code: 'unavailable', message: 'Redis is away', retryIn: 800 })
    await clock.turn(800)
    const again = await line.hears('sync')
    line.say({
      op: 'batch',
      ref: again.ref,
      frames: [message('group:eng', '12-5'), message('group:eng', '13-6')],
    })
    expect(ids(messages)).toEqual(['12-5', '13-6'])
    expect(errors).toMatchObject([{ code: 'unavailable' }])
  })

  it('are asked for with all positions after a reconnect, and what was held comes again', async () => {
    const { line, messages, clock, gateway } = await joined()
    line.say(message('group:eng', '11-5'), message('group:eng', '13-7'))
    line.end(1006)
    await clock.turn(250)
    const next = (await gateway.greets()).line
    next.say(welcomeOf({ inbox: '0-0' }))
    const { ref, convs, inbox } = await next.hears('sync')
    expect({ convs, inbox }).toEqual({ convs: { 'group:eng': '11-5', 'channel:lobby': '9-1' }, inbox: '0-0' })
    next.say({ op: 'batch', ref, frames: [message('group:eng', '12-6'), message('group:eng', '13-7')] })
    expect(ids(messages)).toEqual(['11-5', '12-6', '13-7'])
  })

  it('go on from the head where a position is unknown, without asking ever again', async () => {
    const { line, clock, gateway, reloads, messages } = await joined()
    const again = async () => {
      gateway.lines.at(-1)?.end(1006)
      await clock.turn(1_000)
      const next = (await gateway.greets()).line
      next.say(welcomeOf())
      return { next, sync: await next.hears('sync') }
    }
    expect(line.isOpen).toBe(true)
    const { next, sync } = await again()
    const lobby = listed('channel:lobby', '9-1')
    const lost = listed('group:eng', '9-2', { gap: true })
    next.say({ op: 'synced', ref: sync.ref, inbox: '0-0', convs: [lost, lobby] })
    await settled()
    expect(reloads).toEqual([{ convs: ['group:eng'] }])
    const { next: last, sync: lastSync } = await again()
    expect(lastSync.convs).toEqual({ 'group:eng': '9-2', 'channel:lobby': '9-1' })
    last.say(message('group:eng', '95-3'))
    last.say({ op: 'synced', ref: lastSync.ref, inbox: '0-0', convs: [listed('group:eng', '95-3'), lobby] })
    await settled()
    expect(ids(messages)).toEqual(['95-3'])
  })

  it('[P4] wait for a sync under way, though they follow without a jump: a failover may have given lost numbers anew', async () => {
    const { line, clock, gateway, messages } = await joined()
    line.say(message('group:eng', '11-5'), message('group:eng', '12-6'))
    line.end(1006)
    await clock.turn(1_000)
    const next = (await gateway.greets()).line
    next.say(welcomeOf())
    const { ref } = await next.hears('sync')
    // 11-5 and 12-6 are lost; 20-5 and 21-6 have their places.
    next.say(message('group:eng', '22-7'))
    expect(ids(messages)).toEqual(['11-5', '12-6'])
    const anew = ['20-5', '21-6', '22-7']
    next.say({ op: 'batch', ref, frames: anew.map((id) => message('group:eng', id)) })
    expect(ids(messages)).toEqual(['11-5', '12-6', ...anew])
  })

  it('[P4] wait from a resync on until its sync, own acked ones too', async () => {
    const { client, line, clock, messages } = await joined()
    line.say(message('group:eng', '11-5'))
    line.say({ op: 'resync', convs: ['group:eng'], within: 2_000 })
    const sending = client.send({ to: 'group:eng', body: { type: 'text', text: 'mine' } })
    const { ref } = await line.hears('send')
    // 11-5 is lost: 20-5 has its place, and one's own 21-6 is acked before 20-5 comes.
    line.say({ op: 'ack', ref, conv: 'group:eng', id: '21-6' }, message('group:eng', '20-5'))
    expect((await sending).id).toBe('21-6')
    expect(ids(messages)).toEqual(['11-5'])
    await clock.turn(1_000)
    const sync = await line.hears('sync')
    expect(sync['convs']).toEqual({ 'group:eng': '11-5' })
    const frames = ['20-5', '21-6'].map((id) => message('group:eng', id))
    line.say({ op: 'batch', ref: sync.ref, frames })
    line.say({ op: 'synced', ref: sync.ref, inbox: '0-0', convs: [listed('group:eng', '21-6')] })
    await settled()
    expect(ids(messages)).toEqual(['11-5', '20-5', '21-6'])
  })

  it('[P2] are not shown twice where a failover lost one and its sender sent it again: they have moved', async () => {
    const { line, messages, record } = await joined()
    const moves = record('moved')
    line.say(message('group:eng', '11-5', { ref: 'r' }))
    line.say(message('group:eng', '20-5', { ref: 'r' }))
    const { ref } = await line.hears('sync')
    line.say({ op: 'batch', ref, frames: [message('group:eng', '20-5', { ref: 'r' })] })
    expect(ids(messages)).toEqual(['11-5'])
    expect(moves).toEqual([{ conv: 'group:eng', was: '11-5', id: '20-5' }])
    // The same ref much later is another message, and so is another's.
    line.say({ op: 'synced', ref, inbox: '0-0', convs: [listed('group:eng', '20-5')] })
    await settled()
    line.say(message('group:eng', '21-6', { ref: 'r', from: 'carol' }))
    line.say(message('group:eng', '700000-7', { ref: 'r' }))
    expect(ids(messages)).toEqual(['11-5', '21-6', '700000-7'])
  })

  it('ask for what did not fit into the hold', async () => {
    const { line, messages, clock } = await joined()
    for (let seq = 6; seq <= 1_010; seq++) line.say(message('group:eng', `20-${seq}`))
    await clock.turn(300)
    const { ref } = await line.hears('sync')
    line.say({ op: 'batch', ref, frames: [message('group:eng', '20-5')] })
    expect(messages.at(-1)?.id).toBe('20-1005')
    line.say({ op: 'synced', ref, inbox: '0-0', convs: [listed('group:eng', '20-1005')] })
    const again = await line.hears('sync')
    expect(again.convs).toEqual({ 'group:eng': '20-1005' })
  })

  it('fit into frames, however many there are', async () => {
    const { client, gateway, clock } = setup()
    client.connect()
    const convs = Array.from({ length: 300 }, (_, at) => listed(`group:g${at}`, '5-5'))
    const first = await gateway.joins({ convs, inbox: '3-3' })
    first.end(1006)
    await clock.turn(250)
    const { line } = await gateway.greets()
    line.say(welcomeOf())
    const one = await line.hears('sync')
    const two = await line.hears('sync')
    expect(one.inbox).toBe('3-3')
    expect(two).not.toHaveProperty('inbox')
    const asked = [one, two].flatMap((sync) => Object.keys(sync.convs ?? {}))
    expect(asked).toEqual(convs.map(({ conv }) => conv))
    line.say({ op: 'synced', ref: two.ref, inbox: '3-3', convs: [] })
    await settled()
    expect(client.state).toBe('syncing')
    line.say({ op: 'synced', ref: one.ref, inbox: '3-3', convs: [] })
    await settled()
    expect(client.state).toBe('live')
  })

  it('that the inbox has told of during a sync are asked for from there', async () => {
    const { client, gateway, record } = setup()
    const messages = record('message')
    client.connect()
    const { line } = await gateway.greets()
    line.say(welcomeOf())
    const { ref } = await line.hears('sync')
    const added = message('group:new', '5-1', {
      inbox: '5-1',
      body: { type: 'event', event: 'member_joined' },
    })
    line.say({ op: 'batch', ref, frames: [added] })
    line.say({ op: 'synced', ref, inbox: '5-1', convs: [listed('group:new', '7-3')] })
    const again = await line.hears('sync')
    expect(again.convs).toEqual({ 'group:new': '5-1' })
    line.say({
      op: 'batch',
      ref: again.ref,
      frames: [message('group:new', '6-2'), message('group:new', '7-3')],
    })
    expect(ids(messages)).toEqual(['5-1', '6-2', '7-3'])
  })

  describe('whose events are in the inbox, too', () => {
    const event = (id: string, inbox: string) =>
      message('group:eng', id, { inbox, body: { type: 'event', event: 'member_left' } })

    it('[P4] wait with these for what the group has before them', async () => {
      const { client, line, messages } = await joined()
      void client.sync()
      const { ref } = await line.hears('sync')
      line.say({ op: 'batch', ref, frames: [event('13-7', '13-1')] })
      const log = [message('group:eng', '11-5'), message('group:eng', '12-6'), message('group:eng', '13-7')]
      line.say({ op: 'batch', ref, frames: log })
      line.say({ op: 'synced', ref, inbox: '13-1', convs: [listed('group:eng', '13-7')] })
      await settled()
      expect(ids(messages)).toEqual(['11-5', '12-6', '13-7'])
    })

    it('[P4] ask for what the group has before them, where the inbox alone was asked for', async () => {
      const { client, line, messages, clock } = await joined()
      void client.sync([DM])
      const { ref } = await line.hears('sync')
      line.say({ op: 'batch', ref, frames: [event('12-6', '12-1')] })
      line.say({ op: 'synced', ref, inbox: '12-1', convs: [] })
      await clock.turn(300)
      const { ref: again, convs } = await line.hears('sync')
      expect(convs).toEqual({ 'group:eng': '10-4' })
      const log = [message('group:eng', '11-5'), message('group:eng', '12-6')]
      line.say({ op: 'batch', ref: again, frames: log })
      expect(ids(messages)).toEqual(['11-5', '12-6'])
    })

    it('[P1] show that one was removed, though nothing of the group comes any more and a line was lost', async () => {
      const { client, line, messages, gateway, clock } = await joined()
      await clock.turn(1_000)
      void client.sync()
      const { ref } = await line.hears('sync')
      line.say({ op: 'batch', ref, frames: [event('13-7', '13-1')] })
      line.end(1006)
      await clock.turn(2_000)
      expect(line.received).toEqual([])
      const { line: next, hello } = await gateway.greets()
      expect(hello.inbox).toBe('13-1')
      next.say(welcomeOf({ inbox: '13-1' }))
      const { ref: again } = await next.hears('sync')
      next.say({ op: 'synced', ref: again, inbox: '13-1', convs: [listed('channel:lobby', '9-1')] })
      await clock.turn(1_000)
      expect(ids(messages)).toEqual(['13-7'])
      expect(next.received).toEqual(['13-1'])
    })

    it('[P1] show it after a restart, too', async () => {
      const saves: Saved[] = []
      const storage = { load: () => undefined, save: (saved: Saved) => void saves.push(saved) }
      const { client, line, messages, clock } = await joined({ storage })
      await clock.turn(1_000)
      void client.sync()
      const { ref } = await line.hears('sync')
      line.say({ op: 'batch', ref, frames: [event('13-7', '13-1')] })
      await client.close()
      expect([ids(messages), saves.at(-1)?.inbox]).toEqual([[], '0-0'])
    })
  })

  it('of names like __proto__ are groups like any other', async () => {
    const { line, messages, clock } = await joined()
    line.say(message('group:__proto__', '1-1'), message('group:__proto__', '3-3'))
    await clock.turn(300)
    expect((await line.hears('sync')).convs).toEqual({ 'group:__proto__': '1-1' })
    expect(ids(messages)).toEqual(['1-1'])
  })
})

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

describe('own messages', () => {
  const joined = async () => {
    const all = setup()
    const messages = all.record('message')
    all.client.connect()
    const line = await all.gateway.joins({ inbox: '10-3', convs: [listed('group:eng', '10-4')] })
    return { ...all, messages, line }
  }
  const body = { type: 'text', text: 'hi' } as const

  it('appear with their ack, in the order of ids', async () => {
    const { client, line, messages } = await joined()
    const sent = client.send({ to: 'group:eng', ref: 'r1', body, reply: '9-3', mentions: ['bob'] })
    await line.hears('send')
    // Replies may overtake messages.
    line.say({ op: 'ack', ref: 'r1', conv: 'group:eng', id: '12-6' })
    expect(await sent).toEqual({ ref: 'r1', conv: 'group:eng', id: '12-6' })
    expect(messages).toEqual([])
    line.say(message('group:eng', '11-5'))
    expect(ids(messages)).toEqual(['11-5', '12-6'])
    expect(messages[1]).toEqual({
      op: 'message',
      conv: 'group:eng',
      id: '12-6',
      from: 'alice',
      ref: 'r1',
      body,
      reply: '9-3',
      mentions: ['bob'],
    })
  })

  it('appear once, whether their frame comes before the ack, after it, or never', async () => {
    const { client, line, messages } = await joined()
    const own = (ref: string, id: string) => message('group:eng', id, { from: 'alice', ref })
    for (const ref of ['before', 'after', 'never']) void client.send({ to: 'group:eng', ref, body })
    await line.hears('send')
    line.say(own('before', '11-5'), { op: 'ack', ref: 'before', conv: 'group:eng', id: '11-5' })
    await line.hears('send')
    line.say({ op: 'ack', ref: 'after', conv: 'group:eng', id: '12-6' }, own('after', '12-6'))
    await line.hears('send')
    line.say({ op: 'ack', ref: 'never', conv: 'group:eng', id: '13-7' })
    expect(messages.map(({ ref, id }) => `${ref} ${id}`)).toEqual(['before 11-5', 'after 12-6', 'never 13-7'])
  })

  it('count their place in the inbox', async () => {
    const { client, line, clock, messages } = await joined()
    void client.send({ to: 'user:bob', ref: 'r1', body })
    await line.hears('send')
    line.say(message(DM, '13-2', { inbox: '13-5' }), {
      op: 'ack',
      ref: 'r1',
      conv: DM,
      id: '12-1',
      inbox: '12-4',
    })
    await clock.turn(1_000)
    expect(line.received.at(-1)).toBe('13-5')
    await line.hearsNothing()
    expect(ids(messages)).toEqual(['12-1', '13-2'])
  })

  it('sent before a lost line appear once, though they were stored and come by sync', async () => {
    const { client, line, messages, clock, gateway } = await joined()
    const sent = client.send({ to: 'group:eng', ref: 'r1', body })
    await line.hears('send')
    line.end(1006)
    await clock.turn(250)
    const next = (await gateway.greets()).line
    next.say(welcomeOf())
    const { ref } = await next.hears('sync')
    expect(await next.hears('send')).toMatchObject({ ref: 'r1', retry: true })
    const stored = message('group:eng', '11-5', { from: 'alice', ref: 'r1' })
    next.say({ op: 'batch', ref, frames: [stored] })
    next.say({ op: 'synced', ref, inbox: '10-3', convs: [listed('group:eng', '11-5')] })
    await settled()
    next.say({ op: 'ack', ref: 'r1', conv: 'group:eng', id: '11-5', dup: true })
    expect(await sent).toMatchObject({ id: '11-5', dup: true })
    expect(ids(messages)).toEqual(['11-5'])
  })
})

describe('the server’s word', () => {
  it('resync is obeyed once, within its time, for these or for all', async () => {
    const { client, gateway, clock } = setup()
    client.connect()
    const line = await gateway.joins({
      inbox: '10-3',
      convs: [listed('group:eng', '10-4'), listed('group:ops', '9-1')],
    })
    await clock.turn(1_000)
    line.say({ op: 'resync', convs: ['group:ops'], within: 2_000 })
    await clock.turn(999)
    await line.hearsNothing()
    await clock.turn(1)
    expect(await line.hears('sync')).toMatchObject({ convs: { 'group:ops': '9-1' } })
    line.say({ op: 'resync', within: 0 })
    await clock.turn(0)
    expect(await line.hears('sync')).toMatchObject({
      inbox: '10-3',
      convs: { 'group:eng': '10-4', 'group:ops': '9-1' },
    })
    expect(client.state).toBe('live')
  })

  it('[P4] resync of more than fits into a frame holds nothing back for good', async () => {
    const { client, gateway, clock, record } = setup()
    const messages = record('message')
    client.connect()
    const convs = Array.from({ length: 300 }, (_, at) => listed(`group:g${at}`, '5-5'))
    const line = await gateway.joins({ convs, inbox: '3-3' })
    line.say({ op: 'resync', within: 0 })
    await clock.turn(0)
    const one = await line.hears('sync')
    const two = await line.hears('sync')
    line.say({ op: 'synced', ref: one.ref, inbox: '3-3', convs })
    await settled()
    line.say(message('group:g0', '6-6'))
    await clock.turn(300)
    line.say({ op: 'synced', ref: two.ref, inbox: '3-3', convs })
    await clock.turn(300)
    const { ref, convs: asked } = await line.hears('sync')
    expect(asked).toEqual({ 'group:g0': '5-5' })
    line.say({ op: 'batch', ref, frames: [message('group:g0', '6-6')] })
    expect(ids(messages)).toEqual(['6-6'])
  })

  describe('that something is to be loaded by HTTP', () => {
    const welcomed = async (more: object = {}, count = 1) => {
      const all = setup()
      const reloads = all.record('reload')
      all.client.connect()
      const convs = Array.from({ length: count }, (_, at) => listed(`group:g${at}`, '10-4'))
      const first = await all.gateway.joins({ inbox: '10-3', convs })
      const again = async (fields: object = {}) => {
        all.gateway.lines.at(-1)?.end(1006)
        await all.clock.turn(1_000)
        const { line } = await all.gateway.greets()
        line.say(welcomeOf({ inbox: '90-80', ...fields }))
        return { line, sync: await line.hears('sync') }
      }
      return { ...all, reloads, first, again, ...(await again(more)) }
    }
    const synced = (ref: unknown, more: object = {}) => ({
      op: 'synced',
      ref,
      inbox: '90-80',
      convs: [],
      ...more,
    })

    it('[P4] is told at once, and once: the line may end before the sync does', async () => {
      const { line, sync, reloads, again } = await welcomed({ resumed: false })
      expect(reloads).toEqual([{ convs: 'all' }])
      line.say({ op: 'batch', ref: sync.ref, frames: [message(DM, '80-60', { inbox: '80-70' })] })
      const { line: next, sync: nextSync } = await again()
      expect(nextSync.inbox).toBe('80-70')
      next.say(synced(nextSync.ref))
      await settled()
      expect(reloads).toEqual([{ convs: 'all' }])
    })

    it('[P4] is told once where welcome and the sync both say so, and again where it happens again', async () => {
      const { line, sync, reloads, again } = await welcomed({ resumed: false })
      line.say({ op: 'batch', ref: sync.ref, frames: [message('group:g0', '80-70')] })
      line.say(synced(sync.ref, { gap: true, convs: [listed('group:g0', '80-70', { gap: true })] }))
      await settled()
      expect(reloads).toEqual([{ convs: 'all' }])
      const { line: next, sync: nextSync } = await again()
      next.say(synced(nextSync.ref, { gap: true }))
      await settled()
      expect(reloads).toEqual([{ convs: 'all' }, { convs: 'all' }])
    })

    it('[P4] is told where a group goes on behind a gap and the line ends before the sync does', async () => {
      const { line, sync, reloads, again } = await welcomed()
      line.say({ op: 'batch', ref: sync.ref, frames: [message('group:g0', '80-70')] })
      const { line: next, sync: nextSync } = await again()
      expect(nextSync.convs).toEqual({ 'group:g0': '80-70' })
      next.say({ op: 'batch', ref: nextSync.ref, frames: [message('group:g0', '81-71')] })
      next.say(synced(nextSync.ref, { convs: [listed('group:g0', '81-71')] }))
      await settled()
      expect(reloads).toEqual([{ convs: ['group:g0'] }])
    })

    it('[P4] is told where the inbox goes on behind a gap and the line ends before the sync does', async () => {
      const { line, sync, reloads, again } = await welcomed()
      line.say({ op: 'batch', ref: sync.ref, frames: [message(DM, '80-60', { inbox: '80-70' })] })
      const { line: next, sync: nextSync } = await again()
      next.say(synced(nextSync.ref))
      await settled()
      expect(reloads).toEqual([{ convs: 'all' }])
    })

    it('[P4] is told once more where the log is cut off while the sync goes on', async () => {
      const { line, sync, reloads } = await welcomed({ resumed: false })
      const dm = (seq: number) => message(DM, `80-${seq - 10}`, { inbox: `80-${seq}` })
      line.say({ op: 'batch', ref: sync.ref, frames: [dm(60), dm(61)] })
      expect(reloads).toEqual([{ convs: 'all' }])
      line.say({ op: 'batch', ref: sync.ref, frames: [dm(79), dm(80)] })
      line.say(synced(sync.ref, { gap: true }))
      await settled()
      expect(reloads).toEqual([{ convs: 'all' }, { convs: 'all' }])
    })

    it('[P4] is told of the part of a sync that was answered before the line ended', async () => {
      const { line, sync, reloads, again } = await welcomed({}, 300)
      await line.hears('sync')
      line.say(synced(sync.ref, { convs: [listed('group:g0', '9-2', { gap: true })] }))
      const { sync: nextSync } = await again()
      expect(nextSync.convs).toMatchObject({ 'group:g0': '9-2' })
      expect(reloads).toEqual([{ convs: ['group:g0'] }])
    })
  })

  it('resumed: false asks for everything by HTTP', async () => {
    const { client, gateway, record } = setup()
    const reloads = record('reload')
    const lists = record('conversations')
    client.connect()
    await gateway.joins({ more: { resumed: false }, convs: [listed(DM, '5-5')] })
    expect(reloads).toEqual([{ convs: 'all' }])
    expect(lists).toEqual([[listed(DM, '5-5')]])
  })
})

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
    let kept: Saved | undefined
    const storage = {
      load: () => kept,
      save(now: Saved) {
        kept = structuredClone(now)
      },
    }
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
    let kept: Saved | undefined
    const storage = {
      load: () => kept,
      save(now: Saved) {
        kept = structuredClone(now)
      },
    }
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

  it('[P2] knows an own message that was shown before its ack', async () => {
    let kept: Saved | undefined
    const storage = {
      load: () => kept,
      save(now: Saved) {
        kept = structuredClone(now)
      },
    }
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
