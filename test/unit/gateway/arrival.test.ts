/** News of other sessions that overtakes the answer to one's own joining. */
import type { InboxPosition, MessageId, SessionId, UserId } from '@starling/protocol/ids'
import { describe, expect, it } from 'vitest'
import type { Order } from '../../../src/bus/bus.ts'
import { Doubts } from '../../../src/gateway/doubts.ts'
import { Fanout } from '../../../src/gateway/fanout.ts'
import type { Follow } from '../../../src/gateway/follow.ts'
import { Hub } from '../../../src/gateway/hub.ts'
import type { Log } from '../../../src/lib/log.ts'

const ALICE = 'alice' as UserId

function gateway() {
  const hub = new Hub()
  const topics = { publish: () => {} }
  const fanout = new Fanout({
    hub,
    topics,
    follow: {} as Follow,
    doubts: new Doubts(() => 0),
    log: {} as Log,
  })
  const hears = (user: string, sessions: number, devices: number) =>
    fanout.event({ kind: 'sessions', topic: `user:${user}`, sessions, devices, frame: Buffer.from('{}') })
  const hearsMessage = (user: string) =>
    fanout.event({
      kind: 'message',
      topic: `user:${user}`,
      position: '1000-1' as MessageId & InboxPosition,
      frame: Buffer.from('{}'),
    })
  const kicks = (session: string) => {
    const order: Order = { do: 'kick', user: ALICE, session: session as SessionId | '*' }
    fanout.event({ kind: 'control', topic: `user:${ALICE}`, order })
  }
  /** A session of alice's whose join hasn't been answered. */
  const joins = (session: string) => {
    const closes: number[] = []
    const who = { user: ALICE, session }
    hub.sessions.add({ state: { is: 'joining', who }, close: (code: number) => closes.push(code) } as never)
    return closes
  }
  return { hub, hears, hearsMessage, kicks, joins }
}

describe('a session that arrives', () => {
  it('[P1] knows of the second device whose news came before its own answer', () => {
    const { hub, hears } = gateway()
    const arrival = hub.arrives(ALICE)
    hears('alice', 1, 1)
    hears('alice', 2, 2)
    hears('alice', 1, 1)
    expect(arrival.accompanied).toBe(true)
  })

  it('[P4] knows of a message that came before its own answer and was told to nobody', () => {
    const { hub, hearsMessage } = gateway()
    hearsMessage('alice')
    const arrival = hub.arrives(ALICE)
    hearsMessage('bob')
    expect(arrival.heard).toBe(false)
    hearsMessage('alice')
    expect(arrival.heard).toBe(true)
  })

  it('can be signed out before its own answer, alone or with all others', () => {
    const { joins, kicks } = gateway()
    const [phone, laptop] = [joins('phone'), joins('laptop')]
    kicks('laptop')
    expect([phone, laptop]).toEqual([[], [4003]])
    kicks('*')
    expect([phone, laptop]).toEqual([[4003], [4003, 4003]])
  })

  it('is alone where nothing else was heard, or only before and of others', () => {
    const { hub, hears } = gateway()
    hears('alice', 2, 2)
    const arrival = hub.arrives(ALICE)
    hears('alice', 1, 1)
    hears('bob', 2, 2)
    expect(arrival.accompanied).toBe(false)
    hub.arrived(ALICE, arrival)
    hears('alice', 2, 2)
    expect(hub.arrives(ALICE).accompanied).toBe(false)
  })
})
