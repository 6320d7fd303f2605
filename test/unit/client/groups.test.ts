/** Messages of groups and channels: each once, in order, and what is missing is asked for. */
import { describe, expect, it } from 'vitest'
import type { Saved } from '../../../client/src/index.ts'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { ids, listed, message, setup } from './support/setup.ts'

const DM = 'dm:alice:bob'

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
