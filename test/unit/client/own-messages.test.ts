/** What one sends oneself is shown once, whichever way it comes. */
import { describe, expect, it } from 'vitest'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { ids, listed, message, setup } from './support/setup.ts'

const DM = 'dm:alice:bob'

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

  it('[P3] that are acked while others are missed wait for their turn in the inbox', async () => {
    const { client, line, messages } = await joined()
    void client.send({ to: 'user:bob', ref: 'r1', body })
    await line.hears('send')
    void client.sync()
    const { ref } = await line.hears('sync')
    line.say({ op: 'ack', ref: 'r1', conv: DM, id: '12-2', inbox: '15-6' })
    // 11-1 was late, too: its sender had to try again.
    const missed = [message(DM, '13-4', { inbox: '13-4' }), message(DM, '11-1', { inbox: '14-5' })]
    const own = message(DM, '12-2', { from: 'alice', ref: 'r1', inbox: '15-6' })
    line.say({ op: 'batch', ref, frames: [...missed, own] })
    line.say({ op: 'synced', ref, inbox: '15-6', convs: [listed(DM, '13-4')] })
    await settled()
    expect(ids(messages)).toEqual(['13-4', '11-1', '12-2'])
  })

  it('[P3] that are acked after the log has lost a part wait for what came before them there', async () => {
    const { client, line, messages } = await joined()
    line.say(message(DM, '11-1', { inbox: '11-4' }), message(DM, '12-2', { inbox: '12-5' }))
    void client.send({ to: 'user:bob', ref: 'r1', body })
    await line.hears('send')
    line.say({ op: 'ack', ref: 'r1', conv: DM, id: '21-2', inbox: '21-5' })
    const { ref, inbox } = await line.hears('sync')
    expect([inbox, ids(messages)]).toEqual(['12-5', ['11-1', '12-2']])
    const own = message(DM, '21-2', { from: 'alice', ref: 'r1', inbox: '21-5' })
    line.say({ op: 'batch', ref, frames: [message(DM, '20-1', { inbox: '20-4' }), own] })
    line.say({ op: 'synced', ref, inbox: '21-5', convs: [listed(DM, '21-2')] })
    await settled()
    expect(ids(messages)).toEqual(['11-1', '12-2', '20-1', '21-2'])
  })
})
