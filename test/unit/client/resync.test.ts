/** What the server says is missing is asked for again, or loaded by HTTP. */
import { describe, expect, it } from 'vitest'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { ids, listed, message, setup } from './support/setup.ts'

const DM = 'dm:alice:bob'

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

  it('[P4] that it has lost what was held is asked for once: nothing is missing before that any more', async () => {
    const { client, gateway, clock, record } = setup()
    const messages = record('message')
    client.connect()
    const convs = [listed('group:eng', '10-4')]
    const line = await gateway.joins({ inbox: '10-3', convs })
    await clock.turn(1_000)
    line.say(message(DM, '12-7', { inbox: '12-5' }), message('group:eng', '12-6'))
    await clock.turn(300)
    const syncs = [await line.hears('sync'), await line.hears('sync')]
    expect(ids(messages)).toEqual([])
    for (const { ref } of syncs) line.say({ op: 'synced', ref, inbox: '10-3', convs })
    await clock.turn(10_000)
    await line.hearsNothing()
    expect(ids(messages).toSorted()).toEqual(['12-6', '12-7'])
    // What takes their places comes without a sync.
    line.say(message(DM, '15-8', { inbox: '15-4' }), message('group:eng', '15-5'))
    expect(ids(messages).slice(2)).toEqual(['15-8', '15-5'])
    await clock.turn(10_000)
    await line.hearsNothing()
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
