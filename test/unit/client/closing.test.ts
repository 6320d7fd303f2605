/** Closing: what is saved, what is said, and that nothing is shown from then on. */
import { describe, expect, it } from 'vitest'
import type { Saved } from '../../../client/src/index.ts'
import { settled } from './support/manual-clock.ts'
import { welcomeOf } from './support/memory-gateway.ts'
import { listed, message, setup } from './support/setup.ts'

describe('closing', () => {
  it('saves, says what was received, hangs up, and can be done twice', async () => {
    const saves: Saved[] = []
    const { client, gateway } = setup({
      storage: { load: () => undefined, save: (saved) => void saves.push(saved) },
    })
    client.connect()
    const line = await gateway.joins({ inbox: '9-3', convs: [listed('group:eng', '8-5')] })
    void client.send({ to: 'user:bob', ref: 'b1', body: { type: 'text', text: 'hi' } })
    await line.hears('send')
    await Promise.all([client.close(), client.close()])
    expect(client.state).toBe('closed')
    expect(line.received).toEqual(['9-3'])
    expect(line.closedByClient).toBe(1000)
    expect(saves.at(-1)).toEqual({
      user: 'alice',
      inbox: '9-3',
      dms: [],
      convs: [['group:eng', '8-5']],
      outbox: [{ ref: 'b1', to: 'user:bob', body: { type: 'text', text: 'hi' } }],
    })
    await expect(client.read('group:eng', '8-5')).rejects.toMatchObject({ code: 'closed' })
  })

  describe('with what was shown in mind', () => {
    const DM = 'dm:alice:bob'

    /** A session whose saves from now on take until `saved()`. */
    const slow = async () => {
      const saves: Saved[] = []
      let saved = () => {}
      let isSlow = false
      const storage = {
        load: () => undefined,
        save(now: Saved) {
          saves.push(structuredClone(now))
          if (isSlow) return new Promise<void>((resolve) => (saved = resolve))
        },
      }
      const all = setup({ storage })
      const messages = all.record('message')
      const shown = () => messages.map(({ id }) => id)
      all.client.connect()
      const line = await all.gateway.joins({ inbox: '9-3', convs: [listed('group:eng', '8-5')] })
      await all.clock.turn(1_000)
      isSlow = true
      saves.length = 0
      return { ...all, line, saves, shown, saved: () => saved() }
    }

    it('[P2] saves when the server closes for good, and shows nothing that was held', async () => {
      const { client, line, saves, shown, saved } = await slow()
      void client.send({ to: 'user:bob', ref: 'b1', body: { type: 'text', text: 'hi' } })
      line.say(message('group:eng', '10-6'), message(DM, '11-1', { inbox: '11-4' }))
      line.say(message(DM, '13-3', { inbox: '13-5' }))
      line.end(4003)
      expect([client.state, shown()]).toEqual(['closed', ['10-6', '11-1']])
      expect(saves).toMatchObject([
        { inbox: '9-3', convs: [['group:eng', '10-6']], dms: [[DM, '11-1', []]], outbox: [{ ref: 'b1' }] },
      ])
      // Whoever closes then waits for it.
      let isDone = false
      const closed = client.close().then(() => (isDone = true))
      await settled()
      expect(isDone).toBe(false)
      saved()
      await closed
      expect(saves).toHaveLength(1)
    })

    it('[P2] shows nothing more of a batch in whose middle it is closed', async () => {
      const { client, gateway, clock, line, shown, saves, saved } = await slow()
      client.on('message', () => void client.close())
      void client.sync()
      const { ref } = await line.hears('sync')
      line.say({ op: 'batch', ref, frames: ['10-6', '11-7'].map((id) => message('group:eng', id)) })
      saved()
      await clock.turn(1_000)
      expect([shown(), saves[0]?.convs]).toEqual([['10-6'], [['group:eng', '10-6']]])
      expect(gateway.lines).toHaveLength(1)
    })

    it('[P2] shows nothing more of what was held, while the storage takes its time', async () => {
      const { client, clock, line, shown, saves, saved } = await slow()
      line.say(message(DM, '11-1', { inbox: '11-4' }), message(DM, '13-3', { inbox: '13-5' }))
      const closed = client.close()
      await clock.turn(5_000)
      expect(shown()).toEqual(['11-1'])
      expect(saves).toHaveLength(1)
      saved()
      await closed
      expect(clock.pending).toEqual([])
    })

    it('[P2] begins no new session, while the storage takes its time', async () => {
      const { client, gateway, clock, line, shown, saves, saved, record } = await slow()
      const welcomes = record('welcome')
      line.say(message('group:eng', '12-7'))
      const closed = client.close()
      line.end(1006)
      await clock.turn(1_000)
      const { line: next } = await gateway.greets()
      next.say(welcomeOf())
      await next.hearsNothing()
      saved()
      await closed
      await clock.turn(1_000)
      expect([welcomes, shown(), client.state, next.closedByClient]).toEqual([[], [], 'closed', 1000])
      expect(saves).toHaveLength(1)
      expect(clock.pending).toEqual([])
    })

    it('[P2] sends nothing that it has not saved', async () => {
      const { client, line, saved } = await slow()
      const closed = client.close()
      const late = client.send({ to: 'user:bob', body: { type: 'text', text: 'hi' } })
      await expect(late).rejects.toMatchObject({ code: 'closed' })
      await line.hearsNothing()
      saved()
      await closed
    })
  })

  it('from within a listener leaves nothing running', async () => {
    const { client, gateway, clock } = setup()
    client.on('state', ({ to }) => {
      if (to === 'waiting') void client.close()
    })
    client.connect()
    ;(await gateway.called()).end(1006)
    await settled()
    expect(client.state).toBe('closed')
    expect(clock.pending).toEqual([])
  })
})
